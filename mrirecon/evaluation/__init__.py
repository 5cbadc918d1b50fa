"""A model and a test set in, scores and example images out; aggregation apart from scoring."""

from mrirecon.evaluation.examples import Example, choose_slices, collect_examples
from mrirecon.evaluation.files import (
    summarise_evaluation,
    write_scores_csv,
    write_subjects_csv,
    write_summary_json,
)
from mrirecon.evaluation.reconstruct import ReconstructedBatch, reconstruct_batches
from mrirecon.evaluation.run import Evaluation, evaluate
from mrirecon.evaluation.scores import (
    ALL_METHODS,
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

__all__ = [
    "ALL_METHODS",
    "METHODS",
    "METRICS",
    "OFF_GRID_METHODS",
    "Evaluation",
    "Example",
    "MethodName",
    "MetricName",
    "ReconstructedBatch",
    "SliceScore",
    "Statistics",
    "SubjectScore",
    "aggregate",
    "choose_slices",
    "collect_examples",
    "evaluate",
    "reconstruct_batches",
    "score_subjects",
    "summarise_evaluation",
    "unit_scores",
    "write_scores_csv",
    "write_subjects_csv",
    "write_summary_json",
]
