"""Box plots and loss curves as SVG data URIs that follow the reader's light or dark theme."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mrirecon.evaluation import Interval, MethodName, base_method, order_methods
from mrirecon.report.chart_frame import (
    FAINT,
    HEIGHT,
    INK,
    METHOD_MARKS,
    WIDTH,
    Chart,
    new_chart,
    shorten,
    svg_uri,
)

_NAME_LENGTH = 45  # characters that fit below a chart
_DASHES = ("-", "--", ":", "-.")
_MOST_MARKED = 30  # more places than this need no marks
_LEGEND_ROW = 0.16  # inches
_MOST_POINTS = 60  # more points than this hide the box they belong to
_SMOOTHED_PARTS = 40  # a curve's running mean spans this part of it


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes:
        places: along the axis, rising.
        values: one for each place.
        intervals: the same; drawn as bars where there are any, NaN for none.
        colour: one of `METHOD_MARKS` or `SERIES_MARKS`.
        number: tells lines of one colour apart, from 0: by their dashes.
    """

    places: Sequence[float]
    values: Sequence[float]
    colour: str
    intervals: Sequence[Interval] = ()
    number: int = 0


def box_plot_uri(
    groups: Mapping[str, Mapping[MethodName, Sequence[float]]], label: str, *, is_log: bool = False
) -> str:
    """Draw a box for each test set and method: quartiles, median, whiskers at 1.5 box lengths.

    Args:
        groups: values of each method, by test set; values that are not finite are left out.
        label: of the axis, with its unit.
        is_log: draw a logarithmic axis, for values above 0 that span decades.

    Returns:
        An SVG as a data URI.
    """
    figure, axes = new_chart(label)
    if is_log:
        axes.set_yscale("log")
    methods = order_methods(name for values in groups.values() for name in values)
    width = 0.8 / len(methods)
    for place, values_of in enumerate(groups.values()):
        for index, method in enumerate(methods):
            values = np.asarray(values_of.get(method, ()), dtype=float)
            centre = place + (index - (len(methods) - 1) / 2) * width
            _draw_box(
                axes, values[np.isfinite(values)], centre, width, METHOD_MARKS[base_method(method)]
            )
    names = [shorten(name, _NAME_LENGTH // len(groups)) for name in groups]
    # a name with two dollar signs is no formula
    axes.set_xticks(range(len(groups)), names, parse_math=False)
    axes.set_xlim(-0.6, len(groups) - 0.4)
    return svg_uri(figure)


def curve_uri(steps: Sequence[float], values: Sequence[float], label: str) -> str:
    """Draw a quantity over the training: every value faint, its running mean strong.

    Args:
        steps: training steps, rising.
        values: one for each step.
        label: name of the quantity.

    Returns:
        An SVG as a data URI.
    """
    figure, axes = new_chart(label)
    axes.set_xlabel("step", color=INK, fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    span = max(1, len(values) // _SMOOTHED_PARTS)
    mean = np.convolve(np.asarray(values, dtype=float), np.full(span, 1 / span), mode="valid")
    if span > 1:
        axes.plot(steps, values, color=FAINT, linewidth=0.8)
    axes.plot(
        steps[span - 1 :],
        mean,
        color=METHOD_MARKS["network"],
        linewidth=1.6,
        marker="o" if len(values) < 30 else None,
        markersize=3,
    )
    return svg_uri(figure)


def series_chart(
    series: Mapping[str, Series], label: str, place_label: str, *, description: str
) -> Chart:
    """Draw lines with their names below them.

    Args:
        series: by name; at least one, of at least one place.
        label: of the values, with its unit.
        place_label: of the places, with its unit.
        description: for those who do not see it.
    """
    figure, axes = new_chart(label)
    axes.set_xlabel(place_label, color=INK, fontsize=8)
    lines = []
    for one in series.values():
        style = _DASHES[one.number % len(_DASHES)]
        marker = "o" if len(one.places) < _MOST_MARKED else ""
        if one.intervals:
            low, high = ([getattr(i, end) for i in one.intervals] for end in ("low", "high"))
            axes.vlines(one.places, low, high, colors=one.colour, linewidth=1.2)
        lines += axes.plot(
            one.places,
            one.values,
            style,
            color=one.colour,
            linewidth=1.4,
            marker=marker,
            markersize=3.5,
        )
    names = [shorten(name, _NAME_LENGTH) for name in series]
    n_columns = 2 if max(map(len, names)) <= _NAME_LENGTH // 2 else 1
    legend = figure.legend(
        lines,
        names,
        loc="outside lower left",
        fontsize=7,
        frameon=False,
        labelcolor=INK,
        ncols=n_columns,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    height = HEIGHT + _LEGEND_ROW * -(-len(names) // n_columns)
    figure.set_figheight(height)
    return Chart(svg_uri(figure), description, size=(round(100 * WIDTH), round(100 * height)))


def spread_curve_uri(decibels: NDArray[np.float64], floor: float) -> str:
    """Draw the point spread function along the axis that a line mask undersamples.

    Args:
        decibels: (n,), 0 dB at the centre n // 2.
        floor: lower end of the axis, [dB].

    Returns:
        An SVG as a data URI.
    """
    figure, axes = new_chart("point spread function [dB]")
    axes.set_xlabel("distance from a structure [pixels]", color=INK, fontsize=8)
    distance = np.arange(decibels.size) - decibels.size // 2
    colour = METHOD_MARKS["network"]
    axes.fill_between(distance, decibels, floor, color=colour, alpha=0.25, linewidth=0)
    axes.plot(distance, decibels, color=colour, linewidth=1)
    axes.set_xlim(distance[0], distance[-1])
    axes.set_ylim(floor, 2)
    return svg_uri(figure)


def _draw_box(
    axes: Axes, values: NDArray[np.float64], centre: float, width: float, colour: str
) -> None:
    if not values.size:
        return
    if values.size <= _MOST_POINTS:
        # the golden ratio spreads points evenly and the same way every time
        offsets = ((np.arange(values.size) * 0.618034) % 1 - 0.5) * width * 0.6
        size, alpha = (7, 0.45) if values.size >= 3 else (22, 1.0)  # alone, without a box
        axes.scatter(centre + offsets, values, s=size, color=colour, alpha=alpha, linewidths=0)
    if values.size < 3:
        return
    line = {"color": colour, "linewidth": 1.2}
    axes.boxplot(
        values,
        positions=[centre],
        widths=width * 0.75,
        showfliers=values.size > _MOST_POINTS,
        manage_ticks=False,
        boxprops=line,
        whiskerprops=line,
        capprops=line,
        medianprops={"color": colour, "linewidth": 2.4},
        flierprops={"marker": ".", "markersize": 3, "markeredgecolor": colour},
    )
