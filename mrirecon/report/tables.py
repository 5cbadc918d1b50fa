"""Statistics as the text of tables: fixed digits, a true minus sign, a dash for what is not."""

import math
from dataclasses import dataclass

from mrirecon.evaluation import (
    HIGHER_IS_BETTER,
    METRICS,
    Comparison,
    Evaluation,
    MethodName,
    MetricName,
    Statistics,
    aggregate,
    compare_evaluation,
    unit_scores,
)

METRIC_LABELS: dict[MetricName, str] = {"ssim": "SSIM", "psnr": "PSNR [dB]", "nmse": "NMSE"}
_DIGITS: dict[MetricName, int] = {"ssim": 4, "psnr": 2, "nmse": 4}


@dataclass(frozen=True)
class Cell:
    """One metric of one method: texts, and whether its mean is the best of the test set."""

    mean: str
    std: str
    median: str
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


def comparison_rows(evaluation: Evaluation) -> list[ComparisonRow]:
    """Lay out what the last method gained over each other one, subject by subject.

    Returns:
        One row for each other method; none where no metric can be compared, or where one subject
        alone has nothing to tell of others.
    """
    by_metric = compare_evaluation(evaluation)
    first = next(iter(by_metric.values()), [])
    if first and first[0].n < 2:
        return []
    return [
        ComparisonRow(
            other=found.other,
            better=f"{found.n_better} of {found.n}",
            cells={
                metric: _format_comparison(found_all[place], metric)
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
    baseline = evaluation.methods[0]
    base = summary[baseline]["psnr"].mean
    rows = [
        Row(
            method=method,
            cells={
                metric: _format_cell(summary[method][metric], metric, best[metric] == method)
                for metric in METRICS
            },
            gain_db="" if method == baseline else gain(summary[method]["psnr"].mean, base),
        )
        for method in evaluation.methods
    ]
    unit = "slices" if evaluation.protocol.errors_over == "slice" else "subjects"
    n = summary[baseline]["psnr"].n
    return Table(rows=rows, n=n, unit=unit if n > 1 else unit[:-1])


def metric_values(evaluation: Evaluation, metric: MetricName) -> dict[MethodName, list[float]]:
    """Give the values that the protocol's statistics count, by method, for the box plot."""
    units = unit_scores(evaluation.scores, evaluation.protocol)
    return {
        method: [getattr(score, metric) for score in units if score.method == method]
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
    difference = value - base
    sign = "+" if difference > 0 else ""
    return sign + format_number(difference, 2)


def _format_cell(statistics: Statistics, metric: MetricName, is_best: bool) -> Cell:
    digits = _DIGITS[metric]
    return Cell(
        mean=format_number(statistics.mean, digits),
        std=format_number(statistics.std, digits),
        median=format_number(statistics.median, digits),
        is_best=is_best,
    )


def _format_comparison(found: Comparison, metric: MetricName) -> ComparisonCell:
    digits = _DIGITS[metric]
    sign = "+" if found.difference > 0 else ""
    ends = [format_number(end, digits) for end in (found.interval.low, found.interval.high)]
    return ComparisonCell(
        difference=sign + format_number(found.difference, digits),
        interval="" if math.isnan(found.interval.low) else " to ".join(ends),
        p_value="< 0.001" if found.p_adjusted < 0.001 else f"{found.p_adjusted:.3f}",
        is_worse=found.is_worse,
    )


def _best_method(
    summary: dict[MethodName, dict[MetricName, Statistics]], metric: MetricName
) -> MethodName:
    choose = max if HIGHER_IS_BETTER[metric] else min
    return choose(summary, key=lambda method: summary[method][metric].mean)
