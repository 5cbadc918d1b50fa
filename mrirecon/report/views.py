"""Lay a report's content out for the template: every number a text, every picture a data URI."""

from collections.abc import Sequence
from dataclasses import dataclass

from mrirecon.evaluation import METRICS, Example, MethodName, compare_evaluation
from mrirecon.report.chart_frame import Chart
from mrirecon.report.charts import box_plot_uri, curve_uri
from mrirecon.report.content import ReportContent, ReportSection, ReportTestSet
from mrirecon.report.curves import read_curves
from mrirecon.report.pictures import (
    error_limit,
    error_uri,
    grey_limit,
    grey_uri,
    largest_error_square,
    mask_uri,
)
from mrirecon.report.spread import draw_spread, summarise_measured
from mrirecon.report.tables import (
    METRIC_LABELS,
    ComparisonRow,
    Table,
    comparison_rows,
    format_number,
    metric_values,
    score_table,
)
from mrirecon.report.verdict import Outcome
from mrirecon.sampling import MaskSummary, TrajectoryConfig, acceleration

_SHARED_BY = {"run": "the whole run", "volume": "each volume", "slice": "each slice"}


@dataclass(frozen=True)
class PictureView:
    """One column of an example; the target has neither scores nor an error map."""

    label: str
    scores: str
    image: str
    zoom: str
    error: str | None


@dataclass(frozen=True)
class ExampleView:
    """A slice with its columns; the zoomed square in percent of the image, as CSS takes it."""

    title: str
    reason: str
    is_ranked: bool
    pictures: list[PictureView]
    square: str
    n_pixels: int
    shape: tuple[int, int]


@dataclass(frozen=True)
class TestSetView:
    """A test set with its table and examples."""

    __test__ = False  # for pytest: no test, although its name begins like one

    content: ReportTestSet
    outcome: Outcome
    table: Table
    comparisons: list[ComparisonRow]
    acceleration: str
    ranked: list[ExampleView]
    further: list[ExampleView]
    grey_limit: str


@dataclass(frozen=True)
class SectionView:
    """One model under one sampling."""

    number: int
    content: ReportSection
    summary: MaskSummary
    mask: str
    measured_by: str
    mask_of: str
    shared_by: str
    spread: Chart
    box_plots: list[Chart]
    curves: list[Chart]
    test_sets: list[TestSetView]


def lay_out(content: ReportContent) -> tuple[list[SectionView], float]:
    """Lay out all sections on one error scale.

    Returns:
        The sections, and the upper end of the error scale.
    """
    examples = [
        example
        for section in content.sections
        for test_set in section.test_sets
        for example in test_set.examples
    ]
    limit = error_limit(examples)
    sections = [
        _lay_out_section(number, section, limit)
        for number, section in enumerate(content.sections, start=1)
    ]
    return sections, limit


def _lay_out_section(number: int, section: ReportSection, limit: float) -> SectionView:
    first = section.test_sets[0]
    example = first.examples[0]
    mask = example.mask
    sampling = first.evaluation.sampling
    return SectionView(
        number=number,
        content=section,
        summary=summarise_measured(sampling, mask),
        mask=mask_uri(mask),
        measured_by="trajectory" if isinstance(sampling, TrajectoryConfig) else "mask",
        mask_of=f"{first.evaluation.name}, {_title(example)}",
        shared_by=_SHARED_BY[sampling.per],
        spread=draw_spread(sampling, mask),
        box_plots=_draw_box_plots(section.test_sets),
        curves=_draw_curves(section),
        test_sets=[
            _lay_out_test_set(section.title, test_set, limit) for test_set in section.test_sets
        ],
    )


def _draw_box_plots(test_sets: Sequence[ReportTestSet]) -> list[Chart]:
    charts = []
    for metric in METRICS:
        values = {
            test_set.evaluation.name: metric_values(test_set.evaluation, metric)
            for test_set in test_sets
        }
        label = METRIC_LABELS[metric]
        description = f"Box plot of {label} for each test set and method; the table has its numbers"
        is_log = metric == "nmse"
        charts.append(Chart(box_plot_uri(values, label, is_log=is_log), description))
    return charts


def _draw_curves(section: ReportSection) -> list[Chart]:
    if section.metrics_log is None:
        return []
    return [
        Chart(
            curve_uri(curve.steps, curve.values, name.replace("_", " ")),
            f"{name} over training steps, from {curve.values[0]:.4g} to {curve.values[-1]:.4g}",
        )
        for name, curve in read_curves(section.metrics_log).items()
    ]


def _lay_out_test_set(title: str, test_set: ReportTestSet, limit: float) -> TestSetView:
    evaluation = test_set.evaluation
    comparisons = compare_evaluation(evaluation)
    white = grey_limit(test_set.examples)
    has_slice_psnr = evaluation.protocol.errors_over == "slice"
    views = [
        _lay_out_example(example, white, limit, has_slice_psnr) for example in test_set.examples
    ]
    return TestSetView(
        content=test_set,
        outcome=Outcome(f"{evaluation.name} ({title})", evaluation, comparisons),
        table=score_table(evaluation),
        comparisons=comparison_rows(comparisons),
        acceleration=f"{acceleration(test_set.examples[0].mask):.2f}",
        ranked=[view for view in views if view.is_ranked],
        further=[view for view in views if not view.is_ranked],
        grey_limit=f"{white:.2g}",
    )


def _lay_out_example(
    example: Example, white: float, limit: float, has_slice_psnr: bool
) -> ExampleView:
    row, col, side = largest_error_square(example)
    rows, cols = example.target.shape
    region = slice(row, row + side), slice(col, col + side)
    target = PictureView(
        label="target, fully sampled",
        scores="",
        image=grey_uri(example.target, upper=white),
        zoom=grey_uri(example.target[region], upper=white),
        error=None,
    )
    columns = [
        PictureView(
            label=method,
            scores=_write_scores(example, method, has_slice_psnr),
            image=grey_uri(example.images[method], upper=white),
            zoom=grey_uri(example.images[method][region], upper=white),
            error=error_uri(example.images[method], example.target, upper=limit),
        )
        for method in example.images
    ]
    return ExampleView(
        title=_title(example),
        reason=example.reason,
        is_ranked=example.is_ranked,
        pictures=[target, *columns],
        square=f"left:{100 * col / cols:.2f}%;top:{100 * row / rows:.2f}%;"
        f"width:{100 * side / cols:.2f}%;height:{100 * side / rows:.2f}%",
        n_pixels=side,
        shape=(rows, cols),
    )


def _title(example: Example) -> str:
    return f"{example.subject}, slice {example.slice}"


def _write_scores(example: Example, method: MethodName, has_slice_psnr: bool) -> str:
    """Write a slice's scores, only those that the protocol defines for a slice."""
    score = example.scores[method]
    texts = [f"SSIM {format_number(score.ssim, 3)}"]
    if has_slice_psnr:
        texts.append(f"{format_number(score.psnr, 1)} dB")
    return ", ".join(texts)
