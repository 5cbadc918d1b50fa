"""Box plots and loss curves as SVG data URIs that follow the reader's light or dark theme."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mrirecon.evaluation import ALL_METHODS, MethodName, base_method, order_methods

# Placeholder in the drawing -> (on light, on dark); replaced by variables in the SVG.
_INK, _LINE, _FAINT = "#010101", "#020202", "#030303"
METHOD_COLOURS: dict[MethodName, tuple[str, str]] = {
    "zero-filled": ("#8d96a0", "#98a2ad"),
    "gridding": ("#8d96a0", "#98a2ad"),
    "data consistency alone": ("#b08d3c", "#d3b25f"),
    "SENSE": ("#7a6aa8", "#a494d6"),
    "total variation": ("#4f8f5b", "#7cbf88"),
    "l1-wavelet": ("#2f8f8b", "#5fc0bb"),
    "network": ("#3f7cac", "#6aa9da"),
    "network + data consistency": ("#c2593f", "#e8866b"),
}
_METHOD_MARKS = {method: f"#0405{index:02x}" for index, method in enumerate(ALL_METHODS)}
_THEME = {
    _INK: ("#30363d", "#d0d7de"),
    _LINE: ("#c8cdd3", "#454c54"),
    _FAINT: ("#9fc0da", "#33536d"),
} | {_METHOD_MARKS[method]: METHOD_COLOURS[method] for method in ALL_METHODS}

_WIDTH, _HEIGHT = 3.6, 2.5  # inches at 72 points: about a phone's width
_NAME_LENGTH = 45  # characters that fit below a chart
_MOST_POINTS = 60  # more points than this hide the box they belong to
_SMOOTHED_PARTS = 40  # a curve's running mean spans this part of it


@dataclass(frozen=True)
class Chart:
    """A chart, or a picture of pixels, and what it shows, for those who do not see it."""

    uri: str
    description: str
    is_picture: bool = False


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
    figure, axes = _new_chart(label)
    if is_log:
        axes.set_yscale("log")
    methods = order_methods(name for values in groups.values() for name in values)
    width = 0.8 / len(methods)
    for place, values_of in enumerate(groups.values()):
        for index, method in enumerate(methods):
            values = np.asarray(values_of.get(method, ()), dtype=float)
            centre = place + (index - (len(methods) - 1) / 2) * width
            _draw_box(
                axes, values[np.isfinite(values)], centre, width, _METHOD_MARKS[base_method(method)]
            )
    names = [_shorten(name, _NAME_LENGTH // len(groups)) for name in groups]
    # a name with two dollar signs is no formula
    axes.set_xticks(range(len(groups)), names, parse_math=False)
    axes.set_xlim(-0.6, len(groups) - 0.4)
    return _svg_uri(figure)


def curve_uri(steps: Sequence[float], values: Sequence[float], label: str) -> str:
    """Draw a quantity over the training: every value faint, its running mean strong.

    Args:
        steps: training steps, rising.
        values: one for each step.
        label: name of the quantity.

    Returns:
        An SVG as a data URI.
    """
    figure, axes = _new_chart(label)
    axes.set_xlabel("step", color=_INK, fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    span = max(1, len(values) // _SMOOTHED_PARTS)
    mean = np.convolve(np.asarray(values, dtype=float), np.full(span, 1 / span), mode="valid")
    if span > 1:
        axes.plot(steps, values, color=_FAINT, linewidth=0.8)
    axes.plot(
        steps[span - 1 :],
        mean,
        color=_METHOD_MARKS["network"],
        linewidth=1.6,
        marker="o" if len(values) < 30 else None,
        markersize=3,
    )
    return _svg_uri(figure)


def spread_curve_uri(decibels: NDArray[np.float64], floor: float) -> str:
    """Draw the point spread function along the axis that a line mask undersamples.

    Args:
        decibels: (n,), 0 dB at the centre n // 2.
        floor: lower end of the axis, [dB].

    Returns:
        An SVG as a data URI.
    """
    figure, axes = _new_chart("point spread function [dB]")
    axes.set_xlabel("distance from a structure [pixels]", color=_INK, fontsize=8)
    distance = np.arange(decibels.size) - decibels.size // 2
    colour = _METHOD_MARKS["network"]
    axes.fill_between(distance, decibels, floor, color=colour, alpha=0.25, linewidth=0)
    axes.plot(distance, decibels, color=colour, linewidth=1)
    axes.set_xlim(distance[0], distance[-1])
    axes.set_ylim(floor, 2)
    return _svg_uri(figure)


def _new_chart(label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(label, loc="left", fontsize=9, color=_INK, parse_math=False)
    axes.tick_params(which="both", colors=_INK, labelsize=8, length=0)
    axes.grid(axis="y", color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_LINE)
    return figure, axes


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


def _shorten(name: str, length: int) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"


def _svg_uri(figure: Figure) -> str:
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "mrirecon", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    light, dark = "", ""
    for number, (mark, (on_light, on_dark)) in enumerate(_THEME.items()):
        text = text.replace(mark, f"var(--c{number})")
        light += f"--c{number}:{on_light};"
        dark += f"--c{number}:{on_dark};"
    style = (
        f"<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
        "text{font-family:system-ui,sans-serif!important}</style>"
    )
    head, body = text.split("<defs>", 1)
    encoded = base64.b64encode(f"{head}{style}<defs>{body}".encode()).decode("ascii")
    return "data:image/svg+xml;base64," + encoded
