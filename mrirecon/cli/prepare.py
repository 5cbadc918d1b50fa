"""`mrirecon prepare`: a folder of images in, a store out."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
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
from mrirecon.data import SPLITS, LeftOut, PrepareConfig, Prepared, Split
from mrirecon.data import prepare as write_store
from mrirecon.data.prepare_config import KEEP, Keep
from mrirecon.data.prepared_subject import BLANK, REPEATED
from mrirecon.data.strata import DEFAULT_TRAITS

MOST_STRATA = 12


def prepare(
    source: Sources,
    out: Annotated[Path, typer.Option(help="Store to write, an .h5 file.")],
    channel: ChannelOption = None,
    slice_axis: SliceAxisOption = "axial",
    contents: ContentsOption = None,
    axes: AxesOption = None,
    key: KeyOption = None,
    keep: Annotated[
        str, typer.Option(help="magnitude, or complex images of every coil, of measured k-space.")
    ] = "magnitude",
    fractions: Annotated[
        tuple[float, float, float] | None,
        typer.Option(help="Of persons for train, val and test; else the source's, or .8 .1 .1."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Put everything into one split: train, val or test.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw of persons.")] = 0,
    stratify_by: Annotated[
        list[str] | None,
        typer.Option(
            help="What each split gets its share of: source, protocol, field_strength, scanner, "
            "institution, matrix or a column of --table; several in order of weight; or none. "
            f"{', '.join(DEFAULT_TRAITS)} unless said."
        ),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="CSV file with a row for each person, for --stratify-by.")
    ] = None,
    size: Annotated[
        tuple[int, int] | None,
        typer.Option(help="Rows and columns to crop and pad to about the centre."),
    ] = None,
    drop_blank: Annotated[
        bool, typer.Option("--drop-blank", help="Leave out slices that show nothing.")
    ] = False,
    clip_negative: Annotated[
        bool, typer.Option("--clip-negative", help="Set values below 0 to 0.")
    ] = False,
    clean: Annotated[
        bool,
        typer.Option(
            "--clean", help="Leave out blank, repeated and damaged slices, and list them."
        ),
    ] = False,
    licence: Annotated[
        Path | None, typer.Option(help="Text file to keep in the store; else the source's own.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a store that exists.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what is done, and go on where a run stopped.")
    ] = False,
    workers: Annotated[
        int, typer.Option(help="Processes that read; several may pay where there are many cores.")
    ] = 1,
) -> None:
    """Check images and keep them in one file: pixels as they are, one person in one split only."""
    if fractions is not None and split is not None:
        raise ValueError("--split: expected none beside --fractions, got both")
    if split is not None and split not in SPLITS:
        raise ValueError(f"--split: expected train, val or test, got {split!r}")
    only: Split | None = split
    if keep not in KEEP:
        raise ValueError(f"--keep: expected magnitude or complex, got {keep!r}")
    kept: Keep = keep
    config = PrepareConfig(
        channel=channel,
        slice_axis=slice_axis_of(slice_axis),
        arrays=array_options(contents, axes, key),
        keep=kept,
        splits=fractions or only,
        seed=seed,
        stratify_by=_traits_of(stratify_by),
        table=None if table is None else str(table),
        size=size,
        drop_blank=drop_blank or clean,
        drop_repeated=clean,
        drop_damaged=clean,
        clip_negative=clip_negative,
        licence=None if licence is None else licence.read_text(encoding="utf-8"),
    )
    with progress_bar("preparing") as bar:
        task = bar.add_task("")
        done = write_store(
            source,
            out,
            config,
            overwrite=overwrite,
            resume=resume,
            n_workers=workers,
            progress=lambda n, total, _name: bar.update(task, completed=n, total=total),
        )
    _print(done)


def _traits_of(names: list[str] | None) -> tuple[str, ...] | None:
    return None if not names else () if names == ["none"] else tuple(names)


def _print(done: Prepared) -> None:
    table = Table("split", "subjects", "slices", title=str(done.path))
    for name in SPLITS:
        table.add_row(name, str(done.n_subjects.get(name, 0)), str(done.n_slices.get(name, 0)))
    console.print(table)
    if len(done.strata) > 1:
        console.print(_strata_table(done))
    if done.uneven_strata:
        n_uneven, n_all = len(done.uneven_strata), len(done.strata)
        say(f"{n_uneven} of {n_all} strata have too few persons to be in every split")
    notes = {
        "segmentation masks left out": len(done.source.masks),
        "other files left out": len(done.source.ignored),
        **Counter(f"{_kind_of(entry)} slices left out" for entry in done.left_out),
    }
    say(", ".join(f"{key}: {n}" for key, n in notes.items() if n) or "nothing left out")


def _strata_table(done: Prepared) -> Table:
    """Show how the persons of each stratum are shared out, by the traits that tell them apart."""
    shown = [
        place
        for place in range(len(done.traits))
        if len({stratum[place] for stratum in done.strata}) > 1
    ]
    table = Table(*(done.traits[place] for place in shown), *SPLITS, title="persons")
    largest = sorted(done.strata.items(), key=lambda item: -item[1].total())
    for stratum, counts in largest[:MOST_STRATA]:
        numbers = (str(counts[name]) for name in SPLITS)
        table.add_row(*(stratum[place] for place in shown), *numbers)
    if len(largest) > MOST_STRATA:
        table.add_row(f"and {len(largest) - MOST_STRATA} more")
    return table


def _kind_of(entry: LeftOut) -> str:
    return entry.reason if entry.reason in (BLANK, REPEATED) else "damaged"
