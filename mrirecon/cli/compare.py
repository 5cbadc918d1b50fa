"""`mrirecon compare`: trained runs in, what tells them apart out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from mrirecon.cli.terminal import console, say
from mrirecon.evaluation import (
    COMPARED,
    RunRecord,
    compare_runs,
    differing_settings,
    read_runs,
)
from mrirecon.report import best_of, validation_row, write_runs
from mrirecon.report.tables import METRIC_LABELS, format_comparison


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN ...", help="Folders of runs, two or more.")
    ],
    html: Annotated[Path | None, typer.Option(help="Page to write, with the curves.")] = None,
) -> None:
    """Show in what runs differ: settings, validation, speed, and scores of the same subjects.

    Subjects are paired where `mrirecon evaluate` scored two of the runs on the same test set, by
    the same protocol, sampling and seed; the first run is held against each other one.
    """
    found = read_runs(runs)
    _print_validation(found)
    _print_settings(found)
    _print_tests(found)
    say(best_of(found))
    if html is not None:
        write_runs(html, found)
        say(f"page: {html}")


def _print_validation(runs: Sequence[RunRecord]) -> None:
    table = Table(title="validation and speed")
    headings = [f"{METRIC_LABELS[m]} {kind}" for m in COMPARED for kind in ("final", "best")]
    for heading in ("run", "steps", *headings, "images/s", "memory [GiB]"):
        table.add_column(heading, justify="left" if heading == "run" else "right")
    for row in map(validation_row, runs):
        cells = (row.name, row.steps, *row.scores, row.images_per_second, row.peak_memory)
        table.add_row(*map(Text, cells))
    console.print(table)


def _print_settings(runs: Sequence[RunRecord]) -> None:
    settings = differing_settings(runs)
    if not settings:
        return
    table = Table("setting", title="settings that differ")
    for run in runs:
        table.add_column(Text(run.name))
    for key, values in settings.items():
        table.add_row(*map(Text, (key, *values)))
    console.print(table)


def _print_tests(runs: Sequence[RunRecord]) -> None:
    for test in compare_runs(runs):
        first, *others = test.means
        where = f"{test.key.test_set}, {test.key.cell}"
        table = Table(title=Text(f"{where}: {first} minus others, {test.n_subjects} subjects"))
        table.add_column("run")
        for metric in COMPARED:
            for heading in (METRIC_LABELS[metric], "95 %", "p"):
                table.add_column(heading, justify="right")
        for place, name in enumerate(others):
            cells = [name]
            for metric in COMPARED:
                if metric in test.against:
                    cell = format_comparison(test.against[metric][place], metric)
                    cells += [cell.difference, cell.interval, cell.p_value]
                else:
                    cells += [""] * 3
            table.add_row(*map(Text, cells))
        console.print(table)
