"""Every subject's scores in one table, the worst first: where the result failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from mrirecon.evaluation import Evaluation, MetricName, SubjectScore
from mrirecon.report.tables import METRIC_DIGITS, format_number, image_subjects, signed

MOST_SUBJECTS = 500
"""Rows; more would make a page that is slow to sort. The worst are kept."""
SUBJECT_METRICS: tuple[MetricName, ...] = ("ssim", "psnr")


@dataclass(frozen=True)
class SubjectRow:
    """One subject under one sampling: its numbers, as texts and to sort by.

    Attributes:
        where: test set.
        sampling: how it was undersampled.
        subject: its name.
        n_slices: how many were scored.
        numbers: for each metric: input, result, and what the result gained.
        loses: for each metric, whether the result is worse than its input.
    """

    where: str
    sampling: str
    subject: str
    n_slices: int
    numbers: tuple[tuple[str, float], ...]
    loses: tuple[bool, ...]


def subject_rows(evaluations: Sequence[tuple[str, Evaluation]]) -> list[SubjectRow]:
    """Lay out all subjects of all test sets by the SSIM of their result, the lowest first.

    Args:
        evaluations: each with the title of its sampling.

    Returns:
        At most `MOST_SUBJECTS` rows.
    """
    found = []
    for sampling, evaluation in evaluations:
        by_subject: dict[str, dict[str, SubjectScore]] = {}
        for score in image_subjects(evaluation):
            by_subject.setdefault(score.subject, {})[score.method] = score
        first, last = evaluation.methods[0], evaluation.methods[-1]
        for scores in by_subject.values():
            if first in scores and last in scores:
                row = _lay_out(evaluation.name, sampling, scores[first], scores[last])
                found.append((scores[last].ssim, row))
    return [row for _, row in sorted(found, key=lambda pair: pair[0])[:MOST_SUBJECTS]]


def _lay_out(where: str, sampling: str, base: SubjectScore, result: SubjectScore) -> SubjectRow:
    numbers, loses = [], []
    for metric in SUBJECT_METRICS:
        digits = METRIC_DIGITS[metric]
        before, after = getattr(base, metric), getattr(result, metric)
        loses.append(after < before)
        numbers += [
            (format_number(before, digits), before),
            (format_number(after, digits), after),
            (signed(after - before, digits), after - before),
        ]
    return SubjectRow(
        where, sampling, result.subject, result.n_slices, tuple(numbers), tuple(loses)
    )
