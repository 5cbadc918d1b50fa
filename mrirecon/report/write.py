"""Turn a report's content into one HTML page that needs nothing else."""

from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from mrirecon.evaluation import ALL_METHODS, METRICS, base_method
from mrirecon.files import atomic_path
from mrirecon.report.charts import METHOD_COLOURS
from mrirecon.report.content import ReportContent
from mrirecon.report.pictures import error_bar_uri
from mrirecon.report.tables import METRIC_LABELS
from mrirecon.report.views import lay_out
from mrirecon.sampling.picture import FLOOR as SPREAD_FLOOR

_FOLDER = files("mrirecon.report")


def write_report(path: Path, content: ReportContent) -> None:
    """Write a self-contained HTML report.

    Pictures are inlined; there is no script and no link to anything outside, and the page
    forbids both to itself. All text from files and names is escaped.

    Args:
        path: the .html file to write; replaced as a whole or left as it was.
        content: what to tell.

    Raises:
        ValueError: a broken training log; the message names file and line.
        OSError: the file cannot be written.
    """
    page = render_report(content)
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render_report(content: ReportContent) -> str:
    """Make the page of `write_report` as text; equal content gives equal text."""
    sections, error_limit = lay_out(content)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_FOLDER.joinpath("report.html").read_text("utf-8"))
    return template.render(
        content=content,
        sections=sections,
        css=Markup(_FOLDER.joinpath("report.css").read_text("utf-8") + _colour_rules()),
        methods=ALL_METHODS,
        base_method=base_method,
        metrics=METRICS,
        metric_labels=METRIC_LABELS,
        error_bar=error_bar_uri(),
        error_limit=f"{error_limit:.2g}",
        spread_floor=f"{SPREAD_FLOOR:.0f}".replace("-", "\N{MINUS SIGN}"),
    )


def _colour_rules() -> str:
    """Give the legend's swatches the charts' colours, on light and on dark."""
    light, dark = (
        "".join(
            f".method-{index}{{--swatch:{METHOD_COLOURS[method][theme]}}}"
            for index, method in enumerate(ALL_METHODS)
        )
        for theme in (0, 1)
    )
    return f"{light}@media(prefers-color-scheme:dark){{{dark}}}"
