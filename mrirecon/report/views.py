"""Lay a report's content out for the template: every number a text, every picture a data URI."""

from collections.abc import Sequence
from dataclasses import dataclass

from mrirecon.evaluation import METRICS, compare_evaluation
from mrirecon.report.chart_frame import Chart
from mrirecon.report.charts import box_plot_uri, curve_uri
from mrirecon.report.content import ReportContent, ReportSection, ReportTestSet
from mrirecon.report.curves import read_curves
from mrirecon.report.example_views import ExampleView, example_title, lay_out_examples
from mrirecon.report.pictures import error_limit, grey_limit, mask_uri
from mrirecon.report.spread import draw_spread, summarise_measured
from mrirecon.report.tables import (
    METRIC_LABELS,
    CheckRow,
    ComparisonRow,
    Table,
    check_rows,
    comparison_rows,
    metric_values,
    score_table,
)
from mrirecon.report.verdict import Outcome
from mrirecon.sampling import MaskSummary, TrajectoryConfig, acceleration

_SHARED_BY = {"run": "the whole run", "volume": "each volume", "slice": "each slice"}


@dataclass(frozen=True)
class TestSetView:
    """A test set with its table and examples."""

    __test__ = False  # for pytest: no test, although its name begins like one

    content: ReportTestSet
    outcome: Outcome
    table: Table
    comparisons: list[ComparisonRow]
    checks: list[CheckRow]
    acceleration: str
    ranked: list[ExampleView]
    further: list[ExampleView]
    n_left_out: int
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
    test_sets = [test_set for section in content.sections for test_set in section.test_sets]
    limit = error_limit(example for test_set in test_sets for example in test_set.examples)
    examples = iter(lay_out_examples(test_sets, error_limit=limit))
    sections = [
        _lay_out_section(number, section, [next(examples) for _ in section.test_sets])
        for number, section in enumerate(content.sections, start=1)
    ]
    return sections, limit


def _lay_out_section(
    number: int, section: ReportSection, examples: Sequence[list[ExampleView]]
) -> SectionView:
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
        mask_of=f"{first.evaluation.name}, {example_title(example)}",
        shared_by=_SHARED_BY[sampling.per],
        spread=draw_spread(sampling, mask),
        box_plots=_draw_box_plots(section.test_sets),
        curves=_draw_curves(section),
        test_sets=[
            _lay_out_test_set(section.title, test_set, views)
            for test_set, views in zip(section.test_sets, examples, strict=True)
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


def _lay_out_test_set(
    title: str, test_set: ReportTestSet, views: Sequence[ExampleView]
) -> TestSetView:
    evaluation = test_set.evaluation
    comparisons = compare_evaluation(evaluation)
    return TestSetView(
        content=test_set,
        outcome=Outcome(f"{evaluation.name} ({title})", evaluation, comparisons),
        table=score_table(evaluation),
        comparisons=comparison_rows(comparisons),
        checks=check_rows(evaluation),
        acceleration=f"{acceleration(test_set.examples[0].mask):.2f}",
        ranked=[view for view in views if view.is_ranked],
        further=[view for view in views if not view.is_ranked],
        n_left_out=len(test_set.examples) - len(views),
        grey_limit=f"{grey_limit(test_set.examples):.2g}",
    )
