"""What commands that read images ask about them."""

from pathlib import Path
from typing import Annotated, get_args

import typer

from mrirecon.data import ArrayOptions, SliceAxis
from mrirecon.data.readers import Contents

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
