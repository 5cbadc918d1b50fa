"""Turn a report's content into one HTML page that needs nothing else."""

from pathlib import Path

from mrirecon.evaluation import ALL_METHODS, METRICS, base_method
from mrirecon.files import atomic_path
from mrirecon.report.chart_frame import METHOD_COLOURS
from mrirecon.report.content import ReportContent
from mrirecon.report.grid_charts import draw_grid
from mrirecon.report.page import render_page
from mrirecon.report.pictures import error_bar_uri, error_colour_tables
from mrirecon.report.subject_table import subject_rows
from mrirecon.report.tables import METRIC_LABELS
from mrirecon.report.verdict import find, headline, tiles
from mrirecon.report.views import lay_out
from mrirecon.sampling.picture import FLOOR as SPREAD_FLOOR


def write_report(path: Path, content: ReportContent) -> None:
    """Write a self-contained HTML report.

    Pictures, styles and scripts are inside it; it asks for nothing outside, and forbids itself to.
    All text from files and names is escaped. Without scripts everything but the viewer of images
    and the sorting of tables works.

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
    outcomes = [test_set.outcome for section in sections for test_set in section.test_sets]
    evaluations = [
        (section.title, test_set.evaluation)
        for section in content.sections
        for test_set in section.test_sets
    ]
    return render_page(
        "report.html",
        title=content.title,
        styles=("report.css",),
        scripts=("tables.js", "viewer.js"),
        rules=_colour_rules(),
        content=content,
        headline=headline(outcomes[0]),
        tiles=tiles(outcomes[0]),
        findings=find(outcomes),
        grids=draw_grid([evaluation for _, evaluation in evaluations]),
        sections=sections,
        subjects=subject_rows(evaluations),
        test_set_names=list(dict.fromkeys(e.name for _, e in evaluations)),
        method_names=list(dict.fromkeys(m for _, e in evaluations for m in e.methods)),
        methods=ALL_METHODS,
        base_method=base_method,
        metrics=METRICS,
        metric_labels=METRIC_LABELS,
        error_bar=error_bar_uri(),
        error_colours=error_colour_tables(),
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
