"""Hold the results of an evaluation against every other method, subject by subject."""

import math
from collections.abc import Sequence

from mrirecon.evaluation.methods import MethodName, base_method
from mrirecon.evaluation.run import Evaluation
from mrirecon.evaluation.scores import IMAGE, METRICS, SubjectScore, score_subjects
from mrirecon.evaluation.statistics import Comparison, compare_methods
from mrirecon.metrics import HIGHER_IS_BETTER, MetricName

RESULT: MethodName = "network + data consistency"


def compare_evaluation(
    evaluation: Evaluation,
    *,
    method: MethodName | None = None,
    region: str = IMAGE,
    metrics: Sequence[MetricName] = METRICS,
) -> dict[MetricName, list[Comparison]]:
    """Compare one method of an evaluation with each of the others.

    Subjects are paired, whatever the protocol counts: slices of one subject are no independent
    witnesses.

    Args:
        evaluation: of two methods or more.
        method: the one asked about; None for the last.
        region: whose scores to compare.
        metrics: by which to compare.

    Returns:
        Comparisons by metric, in the order of the evaluation's methods. A metric with a value
        that is not finite (PSNR of equal images), or that was not asked for, is left out.
    """
    inside = [score for score in evaluation.scores if score.region == region]
    subjects = score_subjects(inside, evaluation.protocol)
    found = {}
    for metric in metrics:
        values = _by_method(subjects, metric)
        if values and all(math.isfinite(v) for by in values.values() for v in by.values()):
            asked = method or evaluation.methods[-1]
            found[metric] = compare_methods(
                values, asked, higher_is_better=HIGHER_IS_BETTER[metric]
            )
    return found


def results_of(evaluation: Evaluation) -> list[MethodName]:
    """List the methods whose results are in question: each run's, or the last without a run."""
    found = [method for method in evaluation.methods if base_method(method) == RESULT]
    return found or [evaluation.methods[-1]]


def _by_method(
    subjects: Sequence[SubjectScore], metric: MetricName
) -> dict[MethodName, dict[str, float]]:
    values: dict[MethodName, dict[str, float]] = {}
    for score in subjects:
        value = getattr(score, metric)
        if value is None:
            return {}
        values.setdefault(score.method, {})[score.subject] = value
    return values
