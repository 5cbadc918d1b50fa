"""`mrirecon inspect`: look at images before using them."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mrirecon.cli.sources import (
    AxesOption,
    ChannelOption,
    ContentsOption,
    KeyOption,
    SliceAxisOption,
    Sources,
    array_options,
    slice_axis_of,
)
from mrirecon.cli.terminal import console, progress_bar, say
from mrirecon.data import Inspection, SubjectReport, inspect_source
from mrirecon.report import write_inspection

MOST_ROWS = 12


def inspect(
    source: Sources,
    channel: ChannelOption = None,
    slice_axis: SliceAxisOption = "axial",
    contents: ContentsOption = None,
    axes: AxesOption = None,
    key: KeyOption = None,
    against: Annotated[
        Path | None, typer.Option(help="Store that holds none of these persons and images.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    html: Annotated[Path | None, typer.Option(help="Page to write, with pictures.")] = None,
) -> None:
    """Count, measure and check images and k-space: sizes, noise, compression, sampling, leakage.

    Exit status 1 if `prepare` would refuse the source as it is, or if training on it would not be
    safe: one person in two splits, one image under two names, or in the store of `--against`.
    """
    with progress_bar("reading") as bar:
        task = bar.add_task("")
        found = inspect_source(
            source,
            channel=channel,
            slice_axis=slice_axis_of(slice_axis),
            arrays=array_options(contents, axes, key),
            against=against,
            progress=lambda n, total, _name: bar.update(task, completed=n, total=total),
        )
    if as_json:
        typer.echo(json.dumps(_as_json(found), indent=2))
    else:
        _print(found)
    if html is not None:
        write_inspection(html, found)
        Console(stderr=True).print(f"written: {html}", markup=False, highlight=False)
    if found.problems:
        raise typer.Exit(1)


def _print(found: Inspection) -> None:
    table = Table(
        "subject",
        "split",
        "slices",
        "size",
        "type",
        "range",
        "blank",
        "SNR",
        title=", ".join(map(str, found.source.paths)),
    )
    for subject in found.subjects[:MOST_ROWS]:
        table.add_row(
            subject.name,
            subject.split or "",
            str(subject.n_slices),
            ", ".join(f"{rows} x {cols}" for rows, cols in subject.sizes),
            ", ".join(subject.dtypes),
            f"{subject.minimum:g} to {subject.maximum:g}",
            str(subject.n_blank or ""),
            "" if subject.snr.value is None else f"{subject.snr.value:.3g}",
        )
    if len(found.subjects) > MOST_ROWS:
        table.add_row(f"and {len(found.subjects) - MOST_ROWS} more")
    if found.subjects:
        console.print(table)
    sizes = ", ".join(f"{rows} x {cols}" for rows, cols in found.sizes) or "none"
    say(f"subjects: {len(found.subjects)}, slices: {found.n_slices}, size: {sizes}")
    for origin in sorted({subject.origin for subject in found.subjects}):
        say(f"pixels: {origin}")
    for method in sorted({s.snr.method for s in found.subjects if s.snr.value is not None}):
        say(f"SNR: by {method}")
    for report in found.kspace[:MOST_ROWS]:
        say(f"k-space: {report}")
    for file, error in list(found.unreadable.items())[:MOST_ROWS]:
        say(f"unreadable: {error if error.startswith(str(file)) else f'{file}: {error}'}")
    for problem in found.problems:
        say(f"problem: {problem}")
    for note in found.notes:
        say(f"note: {note}")
    if not found.problems:
        say("ready for mrirecon prepare")


def _as_json(found: Inspection) -> dict[str, object]:
    return {
        "sources": [str(path) for path in found.source.paths],
        "kind": found.source.kind,
        "n_slices": found.n_slices,
        "is_safe": not found.problems,
        "subjects": [_subject_as_json(subject) for subject in found.subjects],
        "unreadable": {str(file): error for file, error in found.unreadable.items()},
        "duplicates": found.duplicates,
        "look_alikes": [asdict(pair) for pair in found.look_alikes],
        "kspace": [asdict(report) for report in found.kspace],
        "against": None if found.against is None else str(found.against),
        "findings": [asdict(finding) for finding in found.findings],
        "problems": found.problems,
        "notes": found.notes,
    }


def _subject_as_json(subject: SubjectReport) -> dict[str, object]:
    """Give the fields of a report that JSON can hold, with NaN as null."""
    fields = asdict(subject)
    del fields["thumbnail"]
    fields["sizes"] = [[*size, n] for size, n in subject.sizes.items()]
    for key in ("minimum", "maximum"):
        fields[key] = fields[key] if math.isfinite(fields[key]) else None
    return fields
