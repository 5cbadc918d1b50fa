"""`mrirecon sampling`: look at undersampling before it is used, and choose it."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.table import Table

from mrirecon.cli.sampling_comparison import compare
from mrirecon.cli.sources import (
    AxesOption,
    ChannelOption,
    ContentsOption,
    KeyOption,
    SliceAxisOption,
    array_options,
    slice_axis_of,
)
from mrirecon.cli.terminal import console, say
from mrirecon.config import load_config
from mrirecon.data import read_source
from mrirecon.sampling import (
    CANDIDATES,
    STRATEGIES,
    AcquisitionConfig,
    SamplingConfig,
    ScannerProfile,
    Strategy,
    TrajectoryConfig,
    Undersampling,
    check_feasibility,
    load_profile,
    make_mask,
    named_patterns,
    summarise,
    summarise_trajectory,
)
from mrirecon.sampling.picture import draw_masks, draw_trajectory


class _Scan(NamedTuple):
    acquisition: AcquisitionConfig
    profile: ScannerProfile


def sampling(
    out: Annotated[Path, typer.Option(help="PNG file to write.")] = Path("masks.png"),
    strategy: Annotated[
        list[str] | None, typer.Option(help=f"One or more of {', '.join(CANDIDATES)}.")
    ] = None,
    acceleration: Annotated[
        float, typer.Option(help="Asked for, or with --image: of the scan. What came is reported.")
    ] = 4.0,
    calibration: Annotated[
        int | None, typer.Option(help="Fully sampled lines, or side of the square, at the centre.")
    ] = None,
    size: Annotated[tuple[int, int], typer.Option(help="Rows and columns of the image.")] = (
        256,
        256,
    ),
    config: Annotated[
        Path | None, typer.Option(help="Take the sampling of this run configuration instead.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the mask.")] = 0,
    list_them: Annotated[bool, typer.Option("--list", help="List the strategies.")] = False,
    image: Annotated[
        Path | None, typer.Option(help="Compare the strategies on this image, and rank them.")
    ] = None,
    slice_number: Annotated[
        int | None, typer.Option("--slice", help="Of the image's volume, from 0; the middle one.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Page of the comparison to write.")] = None,
    scanner: Annotated[
        str, typer.Option(help="clinical_1_5t, clinical_3t, or a YAML file of one's own.")
    ] = "clinical_3t",
    partitions: Annotated[int, typer.Option(help="Of a 3-D scan; 1 is a 2-D scan.")] = 1,
    repetition_time: Annotated[float, typer.Option(help="Between excitations, [s].")] = 0.01,
    dwell_time: Annotated[float, typer.Option(help="Between samples of a readout, [s].")] = 1e-5,
    field_of_view: Annotated[
        tuple[float, float], typer.Option(help="Along rows and columns, [m].")
    ] = (0.256, 0.256),
    noise: Annotated[float, typer.Option(help="Of each sample, in parts of the maximum.")] = 0.005,
    channel: ChannelOption = None,
    slice_axis: SliceAxisOption = "axial",
    contents: ContentsOption = None,
    axes: AxesOption = None,
    key: KeyOption = None,
) -> None:
    """Draw masks with their point spread functions, or compare strategies on an image.

    Without options every mask is drawn at 4x; scan times are said, and what the scanner cannot
    play. With --image all strategies are brought to one scan time, checked against a scanner,
    scored by zero-filling, total variation and SENSE, and ranked; --html writes the page with
    pictures.
    """
    scan = _Scan(
        AcquisitionConfig(
            repetition_time=repetition_time,
            dwell_time=dwell_time,
            field_of_view=field_of_view,
            n_partitions=partitions,
        ),
        load_profile(scanner),
    )
    if list_them:
        _print_strategies()
    elif image is not None:
        if not image.exists():
            raise FileNotFoundError(f"{image}: no such file or folder")
        arrays = array_options(contents, axes, key)
        axis = slice_axis_of(slice_axis)
        subjects = read_source(image, channel=channel, slice_axis=axis, arrays=arrays).subjects
        if len(subjects) != 1:
            raise ValueError(f"{image}: expected one subject, got {len(subjects)}")
        compare(
            subjects[0],
            slice_number,
            names=strategy,
            acceleration=acceleration,
            calibration=calibration,
            acquisition=scan.acquisition,
            profile=scan.profile,
            noise_std=noise,
            seed=seed,
            html=html,
        )
    elif html is not None or slice_number is not None:
        raise ValueError("--html and --slice: expected --image, whose strategies are compared")
    elif config is not None:
        _draw_config(config, size, seed, out, scan)
    else:
        names = strategy or list(STRATEGIES)
        chosen = [_describe(name, acceleration, calibration) for name in names]
        _draw(chosen, size, seed, out, scan)


def _print_strategies() -> None:
    table = Table("strategy", "what is measured")
    for name, description in CANDIDATES.items():
        table.add_row(name, description)
    console.print(table)


def _draw_config(config: Path, size: tuple[int, int], seed: int, out: Path, scan: _Scan) -> None:
    patterns = named_patterns(load_config(config, ["store=."]).undersampling)
    masks = [pattern for pattern in patterns.values() if isinstance(pattern, SamplingConfig)]
    if masks:
        _draw(masks, size, seed, out, scan)
    off_grid = [pattern for pattern in patterns.values() if isinstance(pattern, TrajectoryConfig)]
    for number, trajectory in enumerate(off_grid, start=1):
        picture = out if len(patterns) == 1 else out.with_stem(f"{out.stem}_trajectory_{number}")
        say(f"{trajectory.kind}: {summarise_trajectory(trajectory, size).describe()}")
        _say_feasibility(trajectory, size, seed, scan)
        draw_trajectory(trajectory, size, picture, title=trajectory.kind)
        say(f"picture: {picture}")


def _draw(
    chosen: list[SamplingConfig], size: tuple[int, int], seed: int, out: Path, scan: _Scan
) -> None:
    masks = []
    for entry in chosen:
        mask = make_mask(entry, size, seed=seed)
        summary = summarise(entry, mask, size)
        say(f"{entry.strategy}: {summary.describe()}")
        _say_feasibility(entry, size, seed, scan)
        masks.append((entry.strategy.replace("_", " "), mask, summary))
    draw_masks(masks, out)
    say(f"picture: {out}")


def _say_feasibility(
    undersampling: Undersampling, size: tuple[int, int], seed: int, scan: _Scan
) -> None:
    found = check_feasibility(undersampling, size, scan.acquisition, scan.profile, seed=seed)
    say(f"  {found.describe()}")
    for problem in found.problems:
        say(f"  cannot be played: {problem}")


def _describe(name: str, acceleration: float, calibration: int | None) -> SamplingConfig:
    if name not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        hint = " (with --image it is compared)" if name in CANDIDATES else ""
        raise ValueError(f"--strategy: expected one of {known}, got {name!r}{hint}")
    strategy: Strategy = name
    is_radial = name in ("radial", "golden_angle")
    return SamplingConfig(
        strategy=strategy,
        acceleration=acceleration,
        calibration=None if is_radial else calibration,
    )
