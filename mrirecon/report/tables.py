"""Statistics as the text of tables: fixed digits, a true minus sign, a dash for what is not."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mrirecon.evaluation import (
    HIGHER_IS_BETTER,
    IMAGE,
    METRICS,
    Comparison,
    Evaluation,
    Interval,
    MethodName,
    MetricName,
    Statistics,
    SubjectScore,
    aggregate,
    bootstrap_interval,
    score_subjects,
    summarise_checks,
    unit_scores,
)

METRIC_LABELS: dict[MetricName, str] = {"ssim": "SSIM", "psnr": "PSNR [dB]", "nmse": "NMSE"}
METRIC_DIGITS: dict[MetricName, int] = {"ssim": 4, "psnr": 2, "nmse": 4}


@dataclass(frozen=True)
class Cell:
    """One metric of one method: texts, the mean to sort by, and whether it is the test set's best.

    The interval is of the mean over subjects, whatever the protocol counts; empty for one subject.
    """

    mean: str
    std: str
    median: str
    interval: str
    value: float
    is_best: bool


@dataclass(frozen=True)
class Row:
    """One method's line of a test set's table; `gain_db` is in PSNR over the first method."""

    method: MethodName
    cells: dict[MetricName, Cell]
    gain_db: str


@dataclass(frozen=True)
class Table:
    """A test set's scores as text."""

    rows: list[Row]
    n: int
    unit: str


@dataclass(frozen=True)
class CheckRow:
    """What the honesty checks found of one method, as texts; a dash where it was not checked."""

    method: MethodName
    residual: str
    invented: str
    change: str
    alignment: str


@dataclass(frozen=True)
class ComparisonCell:
    """One metric's difference between two methods: texts, and whether the result lost."""

    difference: str
    interval: str
    p_value: str
    is_worse: bool


@dataclass(frozen=True)
class ComparisonRow:
    """The result against one other method; a metric that has no finite values has no cell."""

    other: str
    better: str
    cells: dict[MetricName, ComparisonCell]


def check_rows(evaluation: Evaluation) -> list[CheckRow]:
    """Lay out the honesty checks of every method; none where nothing was checked."""
    rows = []
    for method, found in summarise_checks(evaluation).items():
        shares = (found.residual, found.invented, found.change)
        if any(share is not None for share in shares) or found.alignments:
            residual, invented, change = map(_format_share, shares)
            fits = next(iter(found.alignments), "\N{EN DASH}")
            rows.append(CheckRow(method, residual, invented, change, fits))
    return rows


def comparison_rows(
    by_metric: Mapping[MetricName, Sequence[Comparison]],
) -> list[ComparisonRow]:
    """Lay out what the last method gained over each other one, subject by subject.

    Args:
        by_metric: of `compare_evaluation`.

    Returns:
        One row for each other method; none where no metric can be compared, or where one subject
        alone has nothing to tell of others.
    """
    first = next(iter(by_metric.values()), [])
    if first and first[0].n < 2:
        return []
    return [
        ComparisonRow(
            other=found.other,
            better=f"{found.n_better} of {found.n}",
            cells={
                metric: format_comparison(found_all[place], metric)
                for metric, found_all in by_metric.items()
            },
        )
        for place, found in enumerate(first)
    ]


def score_table(evaluation: Evaluation) -> Table:
    """Lay out a test set's statistics: a row for each method, best means marked.

    Args:
        evaluation: its protocol says whether slices or subjects are counted.

    Returns:
        The table, texts ready to show.
    """
    units = unit_scores(evaluation.scores, evaluation.protocol)
    summary = aggregate(units)
    best = {metric: _best_method(summary, metric) for metric in METRICS}
    intervals = mean_intervals(evaluation)
    baseline = evaluation.methods[0]
    base = summary[baseline]["psnr"].mean
    rows = [
        Row(
            method=method,
            cells={
                metric: _format_cell(
                    summary[method][metric],
                    intervals[method][metric],
                    metric,
                    best[metric] == method,
                )
                for metric in METRICS
            },
            gain_db="" if method == baseline else gain(summary[method]["psnr"].mean, base),
        )
        for method in evaluation.methods
    ]
    unit = "slices" if evaluation.protocol.errors_over == "slice" else "subjects"
    n = summary[baseline]["psnr"].n
    return Table(rows=rows, n=n, unit=unit if n > 1 else unit[:-1])


def mean_intervals(evaluation: Evaluation) -> dict[MethodName, dict[MetricName, Interval]]:
    """Bracket each method's mean over subjects, with 95 % confidence; NaN for one subject."""
    subjects = image_subjects(evaluation)
    return {
        method: {
            metric: bootstrap_interval(
                [getattr(score, metric) for score in subjects if score.method == method]
            )
            for metric in METRICS
        }
        for method in evaluation.methods
    }


def image_subjects(evaluation: Evaluation) -> list[SubjectScore]:
    """Score each subject over whole images, whatever the protocol counts."""
    found = score_subjects(evaluation.scores, evaluation.protocol)
    return [score for score in found if score.region == IMAGE]


def metric_values(evaluation: Evaluation, metric: MetricName) -> dict[MethodName, list[float]]:
    """Give the values that the protocol's statistics count, by method, for the box plot."""
    units = unit_scores(evaluation.scores, evaluation.protocol)
    return {
        method: [
            getattr(score, metric)
            for score in units
            if score.method == method and score.region == IMAGE
        ]
        for method in evaluation.methods
    }


def format_number(value: float, digits: int) -> str:
    """Write a number with a true minus sign, infinity as a sign, and a dash for NaN."""
    if math.isnan(value):
        return "\N{EN DASH}"
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else "\N{MINUS SIGN}\N{INFINITY}"
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def gain(value: float, base: float) -> str:
    """Write the difference of two PSNR values [dB] with its sign."""
    return signed(value - base, 2)


def signed(difference: float, digits: int) -> str:
    """Write a difference with its sign."""
    return ("+" if difference > 0 else "") + format_number(difference, digits)


def format_interval(interval: Interval, digits: int) -> str:
    """Write both ends of an interval; nothing where the values were too few for one."""
    if math.isnan(interval.low):
        return ""
    return f"{format_number(interval.low, digits)} to {format_number(interval.high, digits)}"


def _format_share(share: float | None) -> str:
    return "\N{EN DASH}" if share is None else f"{100 * share:.2f} %"


def _format_cell(
    statistics: Statistics, interval: Interval, metric: MetricName, is_best: bool
) -> Cell:
    digits = METRIC_DIGITS[metric]
    return Cell(
        mean=format_number(statistics.mean, digits),
        std=format_number(statistics.std, digits),
        median=format_number(statistics.median, digits),
        interval=format_interval(interval, digits),
        value=statistics.mean,
        is_best=is_best,
    )


def format_comparison(found: Comparison, metric: MetricName) -> ComparisonCell:
    """Write a comparison by one metric as texts."""
    digits = METRIC_DIGITS[metric]
    return ComparisonCell(
        difference=signed(found.difference, digits),
        interval=format_interval(found.interval, digits),
        p_value="< 0.001" if found.p_adjusted < 0.001 else f"{found.p_adjusted:.3f}",
        is_worse=found.is_worse,
    )


def _best_method(
    summary: dict[MethodName, dict[MetricName, Statistics]], metric: MetricName
) -> MethodName:
    choose = max if HIGHER_IS_BETTER[metric] else min
    return choose(summary, key=lambda method: summary[method][metric].mean)
