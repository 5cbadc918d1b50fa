"""Turn a comparison of runs into one HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrirecon.evaluation import (
    COMPARED,
    Curve,
    RunRecord,
    TestComparison,
    compare_runs,
    differing_settings,
)
from mrirecon.files import atomic_path
from mrirecon.report.chart_frame import SERIES_MARKS, Chart
from mrirecon.report.charts import Series, series_chart
from mrirecon.report.page import render_page
from mrirecon.report.tables import (
    METRIC_DIGITS,
    METRIC_LABELS,
    ComparisonCell,
    format_comparison,
    format_number,
)

_MOST_PLACES = 200
"""Of a curve: more are averaged, since nobody sees them and a page should stay small."""


@dataclass(frozen=True)
class ValidationRow:
    """One run's validation and speed, as texts."""

    name: str
    steps: str
    scores: tuple[str, ...]
    images_per_second: str
    peak_memory: str


@dataclass(frozen=True)
class TestView:
    """One test that runs have in common: their means, and the first against each other one."""

    __test__ = False  # for pytest: no test, although its name begins like one

    title: str
    n_subjects: int
    means: list[tuple[str, list[str]]]
    first: str
    others: list[tuple[str, list[ComparisonCell | None]]]


def write_runs(path: Path, runs: Sequence[RunRecord]) -> None:
    """Write a self-contained HTML page that compares runs.

    Args:
        path: the .html file to write; replaced as a whole or left as it was.
        runs: two or more.

    Raises:
        OSError: the file cannot be written.
    """
    page = render_runs(runs)
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render_runs(runs: Sequence[RunRecord]) -> str:
    """Make the page of `write_runs` as text; equal runs give equal text."""
    return render_page(
        "runs.html",
        title="Runs compared",
        scripts=("tables.js",),
        headline=best_of(runs),
        names=[run.name for run in runs],
        metrics=[METRIC_LABELS[metric] for metric in COMPARED],
        rows=[validation_row(run) for run in runs],
        tests=[_lay_out(test) for test in compare_runs(runs)],
        settings=differing_settings(runs),
        charts=_draw_curves(runs),
    )


def best_of(runs: Sequence[RunRecord]) -> str:
    """Say which run was validated best, and by how much."""
    found = [(run.validation("ssim"), run.name) for run in runs]
    ranked = sorted(
        ((scores[1], scores[2], name) for scores, name in found if scores), reverse=True
    )
    if len(ranked) < 2:
        return "Fewer than two of the runs have a validation to compare."
    (best, step, name), (second, _, next_name) = ranked[:2]
    return (
        f"{name} was validated best: SSIM {best:.4f} after {step:,} steps, "
        f"{best - second:.4f} more than {next_name}."
    )


def validation_row(run: RunRecord) -> ValidationRow:
    """Lay out a run's final and best validation scores, its speed and its memory."""
    scores: list[str] = []
    for metric in COMPARED:
        found, digits = run.validation(metric), METRIC_DIGITS[metric]
        if found is None:
            scores += ["\N{EN DASH}"] * 2
        else:
            final, best, step = found
            scores += [
                format_number(final, digits),
                f"{format_number(best, digits)} (step {step:,})",
            ]
    rate, peak = run.images_per_second, run.peak_memory
    return ValidationRow(
        name=run.name,
        steps=f"{run.steps:,}",
        scores=tuple(scores),
        images_per_second="\N{EN DASH}" if rate is None else f"{rate:.1f}",
        peak_memory="\N{EN DASH}" if peak is None else f"{peak / 2**30:.2f}",
    )


def _lay_out(test: TestComparison) -> TestView:
    first, *others = test.means
    return TestView(
        title=f"{test.key.test_set}, {test.key.cell}, protocol {test.key.protocol}",
        n_subjects=test.n_subjects,
        means=[
            (name, [format_number(means[metric], METRIC_DIGITS[metric]) for metric in COMPARED])
            for name, means in test.means.items()
        ],
        first=first,
        others=[
            (
                name,
                [
                    format_comparison(test.against[metric][place], metric)
                    if metric in test.against
                    else None
                    for metric in COMPARED
                ],
            )
            for place, name in enumerate(others)
        ],
    )


def _draw_curves(runs: Sequence[RunRecord]) -> list[Chart]:
    """Draw each quantity that was logged, validations first, the runs over one another."""
    names = dict.fromkeys(name for run in runs for name in run.curves)
    ordered = sorted(names, key=lambda name: not name.startswith("validation."))
    charts = []
    for name in ordered:
        series = {
            run.name: _thin_out(run.curves[name], place)
            for place, run in enumerate(runs)
            if name in run.curves
        }
        label = name.replace("_", " ").replace(".", " ")
        charts.append(
            series_chart(series, label, "step", description=f"{label} of each run over its steps")
        )
    return charts


def _thin_out(curve: Curve, place: int) -> Series:
    """Average neighbouring values where a curve has very many."""
    parts = np.array_split(np.arange(len(curve.steps)), min(len(curve.steps), _MOST_PLACES))
    return Series(
        places=[float(np.mean([curve.steps[i] for i in part])) for part in parts],
        values=[float(np.mean([curve.values[i] for i in part])) for part in parts],
        colour=SERIES_MARKS[place % len(SERIES_MARKS)],
        number=place // len(SERIES_MARKS),
    )
