"""What every reader gives: subjects, whose slices are read when they are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

Image = NDArray[Any]
Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
OnError = Callable[[Path, ValueError], None]


@dataclass(frozen=True)
class SliceHeader:
    """What is known of a slice before its pixels are decoded."""

    file: Path
    """File that holds the slice."""
    shape: tuple[int, int]
    """(rows, cols)."""
    dtype: np.dtype[Any]
    """Type in which the store keeps the pixels."""


@dataclass(frozen=True)
class Subject(ABC):
    """One volume of one person.

    Attributes:
        name: unique within its source.
        person: who was imaged; all subjects of one person belong in one split.
        split: the split that the source itself names, None if it names none.
        files: one for each slice, in order, or one that holds all slices.
    """

    name: str
    person: str
    split: Split | None
    files: tuple[Path, ...]

    @property
    @abstractmethod
    def voxel_size(self) -> tuple[float, float, float] | None:
        """Distance between (slices, rows, cols) [mm], None where the files do not tell."""

    @abstractmethod
    def headers(self) -> Sequence[SliceHeader]:
        """Read sizes and types of all slices, without their pixels.

        Raises:
            ValueError: a file is broken or of a kind that cannot be used; the text names it.
        """

    @abstractmethod
    def read_slices(self, on_error: OnError | None = None) -> list[tuple[int, Image]]:
        """Read all slices.

        Args:
            on_error: called with the file and the error of each slice that cannot be read, which
                is then left out; without it the first error is raised.

        Returns:
            Slice number and image (rows, cols) in the type of its header, for each slice in order.

        Raises:
            ValueError: a file cannot be read; the text names it.
        """

    @abstractmethod
    def write_like(self, volume: Image, out: Path) -> None:
        """Write a volume in the kind of file that this subject came from.

        Args:
            volume: (n_slices, rows, cols), in the units of the source; values that its type
                cannot hold are rounded and clipped to it.
            out: file, or folder if this subject has a file for each slice.

        Raises:
            ValueError: the volume's shape or the kind of `out` does not fit.
        """

    def read_volume(self) -> Image:
        """Read all slices as one array.

        Returns:
            (n_slices, rows, cols) in the files' type.

        Raises:
            ValueError: a file cannot be read, or two slices differ in size.
        """
        require_one_size(self.headers())
        return np.stack([image for _, image in self.read_slices()])


@dataclass(frozen=True)
class Source:
    """A folder or file that was looked through, before any pixel is read."""

    path: Path
    """What was looked through."""
    kind: str
    """Name of the reader: "image" or "NIfTI"."""
    subjects: tuple[Subject, ...]
    """In the natural order of their names."""
    masks: tuple[Path, ...]
    """Segmentations, never read as images."""
    ignored: tuple[Path, ...]
    """Files that are no image of this source: tables, notes, previews."""


def require_one_size(headers: Sequence[SliceHeader]) -> tuple[int, int]:
    """Give the size that all slices share.

    Raises:
        ValueError: two slices differ; both files and sizes are named.
    """
    first = headers[0]
    for header in headers:
        if header.shape != first.shape:
            raise ValueError(
                f"{header.file}: expected {first.shape[0]} x {first.shape[1]} pixels as in "
                f"{first.file}, got {header.shape[0]} x {header.shape[1]}; choose one size "
                "(--size) to crop and pad all slices to it"
            )
    return first.shape


def storage_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Give the type in which pixels of `dtype` are kept.

    Types of up to 32 bits that PyTorch computes with are kept. float64, 64-bit and unsigned 32-bit
    integers become float32, whose relative precision of 6e-8 is beyond any MR image.

    Raises:
        ValueError: the type is not a real number.
    """
    kept = {"bool": "uint8", "int8": "int16", "float16": "float32"}
    same = ("uint8", "uint16", "int16", "int32", "float32")
    wide = ("float64", "float128", "int64", "uint32", "uint64")
    name = np.dtype(dtype).newbyteorder("=").name
    if name not in (*kept, *same, *wide):
        raise ValueError(f"pixel type: expected real numbers, got {name}")
    return np.dtype(kept.get(name, name if name in same else "float32"))


def cast_within(values: Image, dtype: np.dtype[Any]) -> Image:
    """Round and clip to what `dtype` holds, so that no value wraps around."""
    if dtype.kind not in "iu":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)
