"""Hold the result of an evaluation against every other method, subject by subject."""

import math

from mrirecon.evaluation.run import Evaluation
from mrirecon.evaluation.scores import IMAGE, METRICS, score_subjects
from mrirecon.evaluation.statistics import Comparison, compare_methods
from mrirecon.metrics import HIGHER_IS_BETTER, MetricName


def compare_evaluation(evaluation: Evaluation) -> dict[MetricName, list[Comparison]]:
    """Compare the last method of an evaluation with each of the others.

    Subjects are paired, whatever the protocol counts: slices of one subject are no independent
    witnesses.

    Args:
        evaluation: of two methods or more.

    Returns:
        Comparisons by metric, in the order of the evaluation's methods. A metric with a value
        that is not finite (PSNR of equal images) is left out.
    """
    whole = [score for score in evaluation.scores if score.region == IMAGE]
    subjects = score_subjects(whole, evaluation.protocol)
    found = {}
    for metric in METRICS:
        values: dict[str, dict[str, float]] = {method: {} for method in evaluation.methods}
        for score in subjects:
            values[score.method][score.subject] = getattr(score, metric)
        if all(math.isfinite(v) for by_subject in values.values() for v in by_subject.values()):
            found[metric] = compare_methods(
                values, evaluation.methods[-1], higher_is_better=HIGHER_IS_BETTER[metric]
            )
    return found
