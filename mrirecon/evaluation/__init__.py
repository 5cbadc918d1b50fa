"""A model and a test set in, scores and example images out; aggregation apart from scoring."""

from mrirecon.evaluation.assemble import assemble, scan_time
from mrirecon.evaluation.comparisons import compare_evaluation, results_of
from mrirecon.evaluation.derived_tables import (
    write_comparisons_csv,
    write_statistics_csv,
    write_worst_csv,
)
from mrirecon.evaluation.examples import Example, choose_slices, collect_examples
from mrirecon.evaluation.files import (
    summarise_evaluation,
    write_scores_csv,
    write_subjects_csv,
    write_summary_json,
    write_timing_csv,
)
from mrirecon.evaluation.grid import Cell, Grid, read_grid, strategy_of
from mrirecon.evaluation.honesty import Fault, FaultKind, find_faults, summarise_checks
from mrirecon.evaluation.methods import (
    ALL_METHODS,
    CLASSICAL_METHODS,
    METHODS,
    OFF_GRID_METHODS,
    MethodName,
    Reconstructor,
    base_method,
    baselines,
    classical,
    network,
    order_methods,
)
from mrirecon.evaluation.reconstruct import ReconstructedBatch, reconstruct_batches
from mrirecon.evaluation.regions import Region, parse_regions
from mrirecon.evaluation.regularisation import (
    TunedMethod,
    read_regularisation,
    tune_regularisation,
    write_regularisation,
)
from mrirecon.evaluation.run import Evaluation, evaluate
from mrirecon.evaluation.run_comparison import (
    COMPARED,
    Curve,
    RunRecord,
    TestComparison,
    compare_runs,
    differing_settings,
    read_runs,
)
from mrirecon.evaluation.scores import (
    IMAGE,
    METRICS,
    SliceScore,
    Statistics,
    SubjectScore,
    aggregate,
    score_subjects,
    unit_scores,
)
from mrirecon.evaluation.simulated_scan import Slab
from mrirecon.evaluation.statistics import (
    Comparison,
    Interval,
    RankComparison,
    adjust_p_values,
    bootstrap_interval,
    compare_groups,
    compare_methods,
)
from mrirecon.evaluation.strata import Summary, summarise_strata
from mrirecon.evaluation.strategies import (
    RECONSTRUCTIONS,
    StrategyResult,
    compare_strategies,
)
from mrirecon.evaluation.strategy_choice import explain_choice, explain_result, rank_strategies
from mrirecon.evaluation.strips import LAYOUT, reconstruct_strips
from mrirecon.evaluation.tasks import Finished, Source, Task, TestSet, finish_tasks
from mrirecon.evaluation.throughput import Throughput
from mrirecon.metrics import HIGHER_IS_BETTER, MetricName

__all__ = [
    "ALL_METHODS",
    "CLASSICAL_METHODS",
    "COMPARED",
    "HIGHER_IS_BETTER",
    "IMAGE",
    "LAYOUT",
    "METHODS",
    "METRICS",
    "OFF_GRID_METHODS",
    "RECONSTRUCTIONS",
    "Cell",
    "Comparison",
    "Curve",
    "Evaluation",
    "Example",
    "Fault",
    "FaultKind",
    "Finished",
    "Grid",
    "Interval",
    "MethodName",
    "MetricName",
    "RankComparison",
    "ReconstructedBatch",
    "Reconstructor",
    "Region",
    "RunRecord",
    "Slab",
    "SliceScore",
    "Source",
    "Statistics",
    "StrategyResult",
    "SubjectScore",
    "Summary",
    "Task",
    "TestComparison",
    "TestSet",
    "Throughput",
    "TunedMethod",
    "adjust_p_values",
    "aggregate",
    "assemble",
    "base_method",
    "baselines",
    "bootstrap_interval",
    "choose_slices",
    "classical",
    "collect_examples",
    "compare_evaluation",
    "compare_groups",
    "compare_methods",
    "compare_runs",
    "compare_strategies",
    "differing_settings",
    "evaluate",
    "explain_choice",
    "explain_result",
    "find_faults",
    "finish_tasks",
    "network",
    "order_methods",
    "parse_regions",
    "rank_strategies",
    "read_grid",
    "read_regularisation",
    "read_runs",
    "reconstruct_batches",
    "reconstruct_strips",
    "results_of",
    "scan_time",
    "score_subjects",
    "strategy_of",
    "summarise_checks",
    "summarise_evaluation",
    "summarise_strata",
    "tune_regularisation",
    "unit_scores",
    "write_comparisons_csv",
    "write_regularisation",
    "write_scores_csv",
    "write_statistics_csv",
    "write_subjects_csv",
    "write_summary_json",
    "write_timing_csv",
    "write_worst_csv",
]
