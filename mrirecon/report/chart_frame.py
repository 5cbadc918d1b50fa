"""The frame of every chart: its colours, on light and on dark, and how it becomes an SVG."""

import base64
import io
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mrirecon.evaluation import ALL_METHODS, MethodName

# Placeholder in the drawing -> (on light, on dark); replaced by variables in the SVG.
INK, LINE, FAINT = "#010101", "#020202", "#030303"
METHOD_COLOURS: dict[MethodName, tuple[str, str]] = {
    "zero-filled": ("#8d96a0", "#98a2ad"),
    "gridding": ("#8d96a0", "#98a2ad"),
    "data consistency alone": ("#b08d3c", "#d3b25f"),
    "homodyne": ("#9c7a5b", "#c9a583"),
    "POCS": ("#a86a8a", "#d694b8"),
    "SENSE": ("#7a6aa8", "#a494d6"),
    "total variation": ("#4f8f5b", "#7cbf88"),
    "l1-wavelet": ("#2f8f8b", "#5fc0bb"),
    "network": ("#3f7cac", "#6aa9da"),
    "network + data consistency": ("#c2593f", "#e8866b"),
}
METHOD_MARKS = {method: f"#0405{index:02x}" for index, method in enumerate(ALL_METHODS)}
_SERIES_COLOURS = (
    ("#1f6fb4", "#6db3ee"),
    ("#c2593f", "#e8866b"),
    ("#2f8f5b", "#72c795"),
    ("#8a5aa8", "#bd93d8"),
    ("#a97d1a", "#dcb354"),
    ("#2f8f8b", "#5fc0bb"),
    ("#b0446e", "#e58aab"),
    ("#6b7580", "#a5afb9"),
)
SERIES_MARKS = tuple(f"#0406{index:02x}" for index in range(len(_SERIES_COLOURS)))
"""Colours of what is no method, in a chart; as `METHOD_MARKS` they follow the theme."""
_THEME = {
    INK: ("#30363d", "#d0d7de"),
    LINE: ("#c8cdd3", "#454c54"),
    FAINT: ("#9fc0da", "#33536d"),
} | {METHOD_MARKS[method]: METHOD_COLOURS[method] for method in ALL_METHODS}
_THEME |= dict(zip(SERIES_MARKS, _SERIES_COLOURS, strict=True))

WIDTH, HEIGHT = 3.6, 2.5
"""Of a chart, [inches] at 72 points: about a phone's width."""


@dataclass(frozen=True)
class Chart:
    """A chart, or a picture of pixels, and what it shows, for those who do not see it.

    Attributes:
        uri: of the picture.
        description: what it shows.
        is_picture: of pixels.
        size: width and height, of a chart, in CSS pixels or in proportion.
    """

    uri: str
    description: str
    is_picture: bool = False
    size: tuple[int, int] = (round(100 * WIDTH), round(100 * HEIGHT))


def new_chart(label: str) -> tuple[Figure, Axes]:
    """Begin a chart with the name of its values above it."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(label, loc="left", fontsize=9, color=INK, parse_math=False)
    axes.tick_params(which="both", colors=INK, labelsize=8, length=0)
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LINE)
    return figure, axes


def shorten(name: str, length: int) -> str:
    """Cut a name that is longer."""
    return name if len(name) <= length else name[: length - 1] + "…"


def svg_uri(figure: Figure) -> str:
    """Write a chart as a data URI, its colours as variables that follow the theme."""
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
