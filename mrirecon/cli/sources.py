"""What commands that read images ask about them."""

from pathlib import Path
from typing import Annotated, get_args

import typer

from mrirecon.data import ArrayOptions, SliceAxis
from mrirecon.data.kspace_file import CoordsUnit
from mrirecon.data.readers import Contents
from mrirecon.data.trajectory_file import TrajectoryOptions

KINDS = "pictures, NIfTI, DICOM, fastMRI or MRD .h5, BART .cfl, .npy or .npz"
Sources = Annotated[list[Path], typer.Argument(help=f"Folders or files: {KINDS}.")]
ChannelOption = Annotated[
    str | None,
    typer.Option(help="Of colour images: pre, flair, post, red, green, blue, luminance, 0-2."),
]
SliceAxisOption = Annotated[str, typer.Option(help="Of NIfTI: axial, coronal or sagittal.")]
ContentsOption = Annotated[
    str | None, typer.Option(help="Of .npy, .npz and .cfl: image or kspace.")
]
AxesOption = Annotated[
    str | None, typer.Option(help="Of .npy and .npz, in order: slices,coils,rows,cols or fewer.")
]
KeyOption = Annotated[str | None, typer.Option(help="Name of the array in a .npz of several.")]


def array_options(contents: str | None, axes: str | None, key: str | None) -> ArrayOptions:
    """Put together what the options say about plain arrays.

    Raises:
        ValueError: no such contents or axes.
    """
    if contents is not None and contents not in get_args(Contents):
        raise ValueError(f"--contents: expected image or kspace, got {contents!r}")
    names = None if axes is None else tuple(axis.strip() for axis in axes.split(","))
    said: Contents | None = contents  # type: ignore[assignment]  # checked above
    return ArrayOptions(said, names, key)


def slice_axis_of(name: str) -> SliceAxis:
    """Take an option for a slice axis; the reader checks it."""
    return name  # type: ignore[return-value]


def coords_unit_of(name: str | None) -> CoordsUnit | None:
    """Read the option `--coords-unit`.

    Raises:
        ValueError: no such unit.
    """
    if name is not None and name not in get_args(CoordsUnit):
        expected = ", ".join(get_args(CoordsUnit))
        raise ValueError(f"--coords-unit: expected one of {expected}, got {name!r}")
    return name  # type: ignore[return-value]  # checked above


def trajectory_options(
    key: str | None,
    coords: str | None,
    unit: str | None,
    size: tuple[int, int] | None,
    crop: tuple[int, int] | None,
    *,
    is_col_first: bool,
) -> TrajectoryOptions | None:
    """Put together what the options say about a trajectory in an .npz; None without --coords.

    Raises:
        ValueError: an option is missing, or has no meaning without --coords.
    """
    said = {"--size": size, "--crop": crop, "--col-first": is_col_first or None}
    if coords is None:
        for name, value in said.items():
            if value is not None:
                raise ValueError(f"{name}: expected with --coords alone, got {value}")
        return None
    needed = {"--key": key, "--coords-unit": unit, "--size": size}
    missing = [name for name, value in needed.items() if value is None]
    chosen = coords_unit_of(unit)
    if key is None or chosen is None or size is None:
        raise ValueError(f"--coords: expected with {', '.join(needed)}, got no {missing[0]}")
    return TrajectoryOptions(key, coords, chosen, size, crop, is_col_first)
