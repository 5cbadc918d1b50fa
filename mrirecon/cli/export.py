"""`mrirecon export`: a trained run in, a program for torch alone out."""

from pathlib import Path
from typing import Annotated

import torch
import typer

from mrirecon.cli.runs import (
    CheckpointOption,
    PatternOption,
    checkpoint_choice,
    choose_pattern,
    load_run,
)
from mrirecon.cli.terminal import say
from mrirecon.data import SliceStore
from mrirecon.models import export_generator
from mrirecon.nufft import Nufft
from mrirecon.sampling import TrajectoryConfig, Undersampling, make_mask, plan_trajectory


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a trained run.")],
    out: Annotated[Path, typer.Option(help="File to write, .pt2.")],
    size: Annotated[
        tuple[int, int] | None,
        typer.Option(help="Rows and columns of the images; those of the run's store if not given."),
    ] = None,
    checkpoint: CheckpointOption = "best",
    pattern: PatternOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that exists.")] = False,
) -> None:
    """Write the run's generator, data consistency included, as a torch.export program.

    It needs no configuration and no Python class of this package, only its native operators:
    `import mrirecon.ops`, then `torch.export.load("model.pt2").module()`. It is checked against the
    generator before it is written.
    """
    if out.suffix != ".pt2":
        raise ValueError(f"--out: expected a name ending in .pt2, got {out.name}")
    if out.exists() and not overwrite:
        raise FileExistsError(f"{out}: exists already; use --overwrite or another name")
    trained = load_run(
        run, torch.device("cpu"), choice=checkpoint_choice(checkpoint), precision="float32"
    )
    shape = size or _store_shape(trained.config.store)
    sampled = _sampled(choose_pattern(trained.config, pattern), shape)
    export_generator(trained.generator, out, shape=shape, sampled=sampled)
    takes = (
        "one zero-filled image"
        if isinstance(sampled, Nufft)
        else f"zero-filled images and masks (batch, {sampled[0]}, {sampled[1]})"
    )
    say(f"{out}: takes {takes}, {shape[0]} x {shape[1]} pixels, gives the reconstruction")


def _sampled(undersampling: Undersampling, shape: tuple[int, int]) -> tuple[int, int] | Nufft:
    """Give the shape of the run's masks, or the transform to its trajectory."""
    if isinstance(undersampling, TrajectoryConfig):
        return plan_trajectory(undersampling, shape, torch.device("cpu"))
    mask = torch.atleast_2d(make_mask(undersampling, shape, seed=0))
    return mask.shape[-2], mask.shape[-1]


def _store_shape(path: Path) -> tuple[int, int]:
    """Take the size of a store's slices, where all have one."""
    with SliceStore(path) as store:
        sizes = {(shape[-2], shape[-1]) for shape in store.shapes}
    if len(sizes) > 1:
        raise ValueError(f"--size: expected one, since {path} has slices of {sorted(sizes)}")
    return sizes.pop()
