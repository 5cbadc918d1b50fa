"""Scores against acceleration and scan time, drawn from the cells of a grid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from mrirecon.evaluation import (
    IMAGE,
    Evaluation,
    Interval,
    MethodName,
    MetricName,
    base_method,
    bootstrap_interval,
    strategy_of,
)
from mrirecon.report.chart_frame import METHOD_MARKS, SERIES_MARKS, Chart
from mrirecon.report.charts import Series, series_chart
from mrirecon.report.tables import METRIC_LABELS, image_subjects

CHART_METRICS: tuple[MetricName, ...] = ("ssim", "psnr")


@dataclass
class _Condition:
    """Cells that differ in nothing but the strategy and how much it measures."""

    title: str
    by_strategy: dict[str, list[Evaluation]] = field(default_factory=dict)


@dataclass(frozen=True)
class GridView:
    """The curves of one test set at one noise."""

    title: str
    charts: Sequence[Chart]


def draw_grid(evaluations: Sequence[Evaluation]) -> list[GridView]:
    """Draw each strategy's methods by acceleration, and all strategies' results by scan time.

    Bars are 95 % intervals of the mean over subjects, which is what the points are. A strategy at
    one acceleration has no curve of its own.

    Args:
        evaluations: of any test sets and cells.

    Returns:
        One view for each test set and noise of which there is a curve to draw.
    """
    conditions: dict[tuple[str, str], _Condition] = {}
    for evaluation in evaluations:
        noise = evaluation.cell.noise
        title = f"{evaluation.name}, {noise}" if noise else evaluation.name
        condition = conditions.setdefault((evaluation.name, noise), _Condition(title))
        condition.by_strategy.setdefault(strategy_of(evaluation.sampling), []).append(evaluation)
    views = [GridView(found.title, _draw(found)) for found in conditions.values()]
    return [view for view in views if view.charts]


def _draw(condition: _Condition) -> list[Chart]:
    charts = []
    for strategy, cells in condition.by_strategy.items():
        if len(cells) > 1:
            charts += [_by_acceleration(strategy, cells, metric) for metric in CHART_METRICS]
    if charts:
        by_time = [_by_scan_time(condition, metric) for metric in CHART_METRICS]
        charts += [chart for chart in by_time if chart is not None]
    return charts


def _by_acceleration(strategy: str, cells: Sequence[Evaluation], metric: MetricName) -> Chart:
    methods = list(dict.fromkeys(method for cell in cells for method in cell.methods))
    seen: dict[MethodName, int] = {}
    series = {}
    for method in methods:
        points = [_point(cell, method, metric, "acceleration") for cell in cells]
        base = base_method(method)
        seen[base] = seen.get(base, -1) + 1
        series[method] = _series(points, METHOD_MARKS[base], seen[base])
    name = strategy.replace("_", " ")
    label = f"{METRIC_LABELS[metric]}, {name}"
    return series_chart(
        series,
        label,
        "acceleration",
        description=f"{METRIC_LABELS[metric]} of each method against acceleration, {name}; "
        "the numbers are in the table of all scores",
    )


def _by_scan_time(condition: _Condition, metric: MetricName) -> Chart | None:
    series = {}
    for place, (strategy, cells) in enumerate(condition.by_strategy.items()):
        points = [_point(cell, cell.methods[-1], metric, "scan_time") for cell in cells]
        found = _series(points, SERIES_MARKS[place % len(SERIES_MARKS)], place // len(SERIES_MARKS))
        if found.places:
            series[strategy.replace("_", " ")] = found
    if not series:
        return None
    method = next(iter(condition.by_strategy.values()))[0].methods[-1]
    label = f"{METRIC_LABELS[metric]} of {method}"
    return series_chart(
        series,
        label,
        "scan time [s]",
        description=f"{label} against scan time, for each strategy",
    )


_Point = tuple[float, float, Interval]


def _point(cell: Evaluation, method: MethodName, metric: MetricName, axis: str) -> _Point:
    """Give where a method stands in a cell: place along the axis, mean score, its interval."""
    places = [
        getattr(score, axis)
        for score in cell.scores
        if score.method == method and score.region == IMAGE
    ]
    values = [getattr(s, metric) for s in image_subjects(cell) if s.method == method]
    if not values or None in places:
        return math.nan, math.nan, Interval(math.nan, math.nan)
    return fmean(places), fmean(values), bootstrap_interval(values)


def _series(points: Sequence[_Point], colour: str, number: int) -> Series:
    """Sort points along the axis; those that are not finite are left out."""
    kept = sorted(
        (point for point in points if math.isfinite(point[0]) and math.isfinite(point[1])),
        key=lambda point: point[0],
    )
    return Series(
        places=[place for place, _, _ in kept],
        values=[value for _, value, _ in kept],
        intervals=[interval for _, _, interval in kept],
        colour=colour,
        number=number,
    )
