"""A model and a test set in, scores and example images out; aggregation apart from scoring."""

from mrirecon.evaluation.comparisons import HIGHER_IS_BETTER, compare_evaluation
from mrirecon.evaluation.examples import Example, choose_slices, collect_examples
from mrirecon.evaluation.files import (
    summarise_evaluation,
    write_comparisons_csv,
    write_scores_csv,
    write_subjects_csv,
    write_summary_json,
)
from mrirecon.evaluation.reconstruct import ReconstructedBatch, reconstruct_batches
from mrirecon.evaluation.regularisation import (
    TunedMethod,
    read_regularisation,
    tune_regularisation,
    write_regularisation,
)
from mrirecon.evaluation.run import Evaluation, evaluate
from mrirecon.evaluation.scores import (
    ALL_METHODS,
    CLASSICAL_METHODS,
    METHODS,
    METRICS,
    OFF_GRID_METHODS,
    MethodName,
    MetricName,
    SliceScore,
    Statistics,
    SubjectScore,
    aggregate,
    score_subjects,
    unit_scores,
)
from mrirecon.evaluation.statistics import (
    Comparison,
    Interval,
    RankComparison,
    adjust_p_values,
    bootstrap_interval,
    compare_groups,
    compare_methods,
)
from mrirecon.evaluation.strategies import (
    RECONSTRUCTIONS,
    StrategyResult,
    compare_strategies,
)
from mrirecon.evaluation.strategy_choice import explain_choice, explain_result, rank_strategies
from mrirecon.evaluation.strips import LAYOUT, reconstruct_strips

__all__ = [
    "ALL_METHODS",
    "CLASSICAL_METHODS",
    "HIGHER_IS_BETTER",
    "LAYOUT",
    "METHODS",
    "METRICS",
    "OFF_GRID_METHODS",
    "RECONSTRUCTIONS",
    "Comparison",
    "Evaluation",
    "Example",
    "Interval",
    "MethodName",
    "MetricName",
    "RankComparison",
    "ReconstructedBatch",
    "SliceScore",
    "Statistics",
    "StrategyResult",
    "SubjectScore",
    "TunedMethod",
    "adjust_p_values",
    "aggregate",
    "bootstrap_interval",
    "choose_slices",
    "collect_examples",
    "compare_evaluation",
    "compare_groups",
    "compare_methods",
    "compare_strategies",
    "evaluate",
    "explain_choice",
    "explain_result",
    "rank_strategies",
    "read_regularisation",
    "reconstruct_batches",
    "reconstruct_strips",
    "score_subjects",
    "summarise_evaluation",
    "tune_regularisation",
    "unit_scores",
    "write_comparisons_csv",
    "write_regularisation",
    "write_scores_csv",
    "write_subjects_csv",
    "write_summary_json",
]
