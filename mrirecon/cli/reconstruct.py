"""`mrirecon reconstruct`: one file in, its image out, by a trained run or by a classical method."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, get_args

import torch
import typer

from mrirecon.classical import MethodConfig, MethodName, PriorConfig, get_method, reconstruct_scan
from mrirecon.cli.reconstruct_run import reconstruct_kspace, reconstruct_subject
from mrirecon.cli.runs import PatternOption, choose_device, load_run
from mrirecon.cli.sources import (
    AxesOption,
    ChannelOption,
    ContentsOption,
    KeyOption,
    SliceAxisOption,
    array_options,
    coords_unit_of,
    slice_axis_of,
    trajectory_options,
)
from mrirecon.cli.terminal import say
from mrirecon.data import Source, Subject, read_source
from mrirecon.data.kspace_file import KSPACE_SUFFIXES, CoordsUnit, KspaceFile, read_kspace
from mrirecon.data.readers.plain_files import IMAGE_SUFFIXES, write_images
from mrirecon.data.trajectory_file import read_trajectory
from mrirecon.evaluation import read_regularisation


def reconstruct(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="[RUN] SOURCE",
            help="Folder of a trained run, unless --method is given; then an image, a volume, a "
            "folder of one subject, or a k-space file.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="File to write, of the kind of the source.")],
    method: Annotated[
        str | None, typer.Option(help=f"{', '.join(get_args(MethodName))}, without a run.")
    ] = None,
    regularisation: Annotated[
        float | None, typer.Option(help="Weight of the method's prior; its default if not given.")
    ] = None,
    tuned: Annotated[
        Path | None, typer.Option(help="File of `mrirecon tune-regularisation`.")
    ] = None,
    channel: ChannelOption = None,
    slice_axis: SliceAxisOption = "axial",
    contents: ContentsOption = None,
    axes: AxesOption = None,
    key: KeyOption = None,
    volume: Annotated[
        str | None, typer.Option(help="Name of one of several volumes in a file.")
    ] = None,
    coords: Annotated[
        str | None, typer.Option(help="Name of a trajectory's coordinates in a .npz.")
    ] = None,
    coords_unit: Annotated[
        str | None, typer.Option(help=f"Of a trajectory: {', '.join(get_args(CoordsUnit))}.")
    ] = None,
    size: Annotated[
        tuple[int, int] | None, typer.Option(help="Rows and cols that a trajectory encodes.")
    ] = None,
    crop: Annotated[
        tuple[int, int] | None, typer.Option(help="Rows and cols to keep about the centre.")
    ] = None,
    col_first: Annotated[
        bool, typer.Option("--col-first", help="Coordinates are (col, row), as (x, y) is.")
    ] = False,
    pattern: PatternOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a file that exists.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:n].")] = "auto",
) -> None:
    """Reconstruct one subject with a run's network and data consistency, or by `--method`.

    With a run, an image, a NIfTI volume or a DICOM series is undersampled first, as in training,
    and written back with its geometry. Of k-space (.npy, .npz, .cfl, fastMRI or MRD .h5) of one
    coil or several samples that are not 0 count as measured; full k-space is undersampled by one
    mask of the run for all slices. K-space along a 2-D trajectory comes from MRD files, or from a
    .npz with --key, --coords, --coords-unit and --size. Its images go to .npy, .cfl, .nii.gz, .h5
    with fastMRI's dataset `reconstruction`, or .png of one slice.
    """
    run, source = _run_and_source(paths, method)
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such file or folder")
    if out.exists() and not overwrite:
        raise FileExistsError(f"{out}: exists already; use --overwrite or another name")
    config = _configure(method, regularisation, tuned)
    chosen, arrays = choose_device(device), array_options(contents, axes, key)
    if source.suffix in KSPACE_SUFFIXES and contents != "image":
        if not out.name.lower().endswith(IMAGE_SUFFIXES):
            names = ", ".join(IMAGE_SUFFIXES)
            raise ValueError(f"--out: expected a name ending in {names}, got {out.name}")
        trajectory = trajectory_options(
            key, coords, coords_unit, size, crop, is_col_first=col_first
        )
        measured = (
            read_kspace(source, arrays, volume=volume, coords_unit=coords_unit_of(coords_unit))
            if trajectory is None
            else read_trajectory(source, trajectory)
        )
        note = _reconstruct_kspace(run, config, measured, source, out, chosen, pattern)
    elif run is None:
        raise ValueError(f"{source}: expected k-space for --method, got images")
    else:
        axis = slice_axis_of(slice_axis)
        source_of = read_source(source, channel=channel, slice_axis=axis, arrays=arrays)
        trained, subject = load_run(run, chosen), _only(source_of, source)
        note = reconstruct_subject(trained, subject, out, chosen, pattern=pattern)
    say(f"{note}; written: {out}")


def _run_and_source(paths: list[Path], method: str | None) -> tuple[Path | None, Path]:
    """Tell the run from the source: --method stands in the place of a run."""
    if method is not None and len(paths) == 1:
        return None, paths[0]
    if method is None and len(paths) == 2:
        return paths[0], paths[1]
    expected = "a run and a source" if method is None else "a source alone with --method"
    raise ValueError(f"arguments: expected {expected}, got {len(paths)} paths")


def _configure(
    method: str | None, regularisation: float | None, tuned: Path | None
) -> MethodConfig | None:
    """Give the method's configuration, with the regularisation that was asked for."""
    config = None if method is None else get_method(method)
    if regularisation is None and tuned is None:
        return config
    if not isinstance(config, PriorConfig):
        given = "--tuned" if regularisation is None else "--regularisation"
        raise ValueError(f"{given}: expected a --method with a prior, got none")
    if tuned is None:
        assert regularisation is not None
        return replace(config, regularisation=regularisation)
    found = read_regularisation(tuned)
    if regularisation is not None or method not in found:
        got = "--regularisation too" if regularisation is not None else ", ".join(found)
        raise ValueError(f"--tuned: expected a file with {method} alone to tell, got {got}")
    return found[method]


def _reconstruct_kspace(
    run: Path | None,
    config: MethodConfig | None,
    measured: KspaceFile,
    source: Path,
    out: Path,
    device: torch.device,
    pattern: str | None,
) -> str:
    """Reconstruct k-space by the run or the method, and write its images."""
    trained = None if run is None else load_run(run, device)
    try:
        if trained is not None:
            images, note = reconstruct_kspace(trained, measured, device, pattern=pattern)
        else:
            assert config is not None
            images = reconstruct_scan(measured, config, device)
            note = f"{len(images)} slices of {measured.kspace.shape[1]} coils"
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from error
    pixels = (images if measured.has_slices else images[0]).numpy()
    write_images(out, pixels, measured.voxel_size)
    return note


def _only(source: Source, path: Path) -> Subject:
    if len(source.subjects) != 1:
        names = ", ".join(subject.name for subject in source.subjects[:3])
        raise ValueError(f"{path}: expected one subject, got {len(source.subjects)} ({names}, ...)")
    return source.subjects[0]
