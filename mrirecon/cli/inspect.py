"""`mrirecon inspect`: look at images before using them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mrirecon.cli.terminal import console, progress_bar, say
from mrirecon.data import Inspection, inspect_source
from mrirecon.data.readers import SliceAxis

MOST_ROWS = 12


def inspect(
    source: Annotated[Path, typer.Argument(help="Folder of images or NIfTI volumes, or one file.")],
    channel: Annotated[str | None, typer.Option(help="Of colour images; see prepare.")] = None,
    slice_axis: Annotated[str, typer.Option(help="Of volumes: axial, coronal or sagittal.")] = (
        "axial"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Count, measure and check images: sizes, ranges, blank slices, files that cannot be read.

    Exit status 1 if `prepare` would refuse the source as it is.
    """
    axis: SliceAxis = slice_axis  # type: ignore[assignment]  # checked by the reader
    with progress_bar("reading") as bar:
        task = bar.add_task("")
        found = inspect_source(
            source,
            channel=channel,
            slice_axis=axis,
            progress=lambda n, total, _name: bar.update(task, completed=n, total=total),
        )
    if as_json:
        typer.echo(json.dumps(_as_json(found), indent=2))
    else:
        _print(found)
    if found.problems:
        raise typer.Exit(1)


def _print(found: Inspection) -> None:
    table = Table(
        "subject", "split", "slices", "size", "type", "range", "blank", title=str(found.source.path)
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
        )
    if len(found.subjects) > MOST_ROWS:
        table.add_row(f"and {len(found.subjects) - MOST_ROWS} more")
    if found.subjects:
        console.print(table)
    sizes = ", ".join(f"{rows} x {cols}" for rows, cols in found.sizes) or "none"
    say(f"subjects: {len(found.subjects)}, slices: {found.n_slices}, size: {sizes}")
    for file, error in list(found.unreadable.items())[:MOST_ROWS]:
        say(f"unreadable: {file}: {error}")
    for problem in found.problems:
        say(f"problem: {problem}")
    for note in found.notes:
        say(f"note: {note}")
    if not found.problems:
        say("ready for mrirecon prepare")


def _as_json(found: Inspection) -> dict[str, object]:
    return {
        "source": str(found.source.path),
        "kind": found.source.kind,
        "n_slices": found.n_slices,
        "subjects": [
            asdict(subject) | {"sizes": [[*size, n] for size, n in subject.sizes.items()]}
            for subject in found.subjects
        ],
        "unreadable": {str(file): error for file, error in found.unreadable.items()},
        "problems": found.problems,
        "notes": found.notes,
    }
