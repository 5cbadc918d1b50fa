"""What every reader gives: subjects, whose slices are read when they are asked for."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

Image = NDArray[Any]
Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
OnError = Callable[[Path, ValueError], None]
LARGEST_SLICE = 1 << 25
"""Pixels, all coils together; more is no MR slice but a damaged header, for which no memory is
taken. 32 coils of 1024 x 1024 have as many."""
MOST_SLICES = 1 << 16


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

    @property
    def origin(self) -> str:
        """What the pixels are; the store keeps it."""
        return "magnitude images"

    @property
    def notes(self) -> tuple[str, ...]:
        """What one should know of how the pixels came about; one line each."""
        return ()

    @property
    def traits(self) -> dict[str, str]:
        """What the files tell of protocol, field_strength [T], scanner and institution.

        Those that they do not tell, or that cannot be read, are missing.
        """
        return {}

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
    """Folders and files that were looked through, before any pixel is read."""

    paths: tuple[Path, ...]
    """What was looked through."""
    kind: str
    """Names of the readers: "image", "NIfTI", "DICOM", ..."""
    subjects: tuple[Subject, ...]
    """In the natural order of their names."""
    masks: tuple[Path, ...]
    """Segmentations, never read as images."""
    ignored: tuple[Path, ...]
    """Files that are no image of this source: tables, notes, previews."""

    def relative(self, file: Path) -> str:
        """Give a file's name below what was looked through."""
        root = next(path for path in self.paths if file.is_relative_to(path))
        return file.name if file == root else str(file.relative_to(root))


def describe_traits(
    *, protocol: object, field_strength: object, scanner: object, institution: object
) -> dict[str, str]:
    """Write what files tell as `Subject.traits`; nothing, as None or "", is left out.

    Scanners tell their own field strength, as 2.89 T: it is rounded to half a tesla.
    """
    with suppress(TypeError, ValueError, OverflowError):
        field_strength = f"{round(2 * float(str(field_strength))) / 2:g} T"
    found = {
        "protocol": protocol,
        "field_strength": field_strength,
        "scanner": scanner,
        "institution": institution,
    }
    texts = {name: " ".join(str(value or "").split()) for name, value in found.items()}
    return {name: text for name, text in texts.items() if text}


def collect_slices(
    files: Sequence[Path], read: Callable[[int], Image], on_error: OnError | None
) -> list[tuple[int, Image]]:
    """Read slice after slice, for `Subject.read_slices`.

    Args:
        files: of each slice.
        read: gives the slice of a number.
        on_error: see `Subject.read_slices`.
    """
    slices = []
    for number, file in enumerate(files):
        try:
            slices.append((number, read(number)))
        except ValueError as error:
            if on_error is None:
                raise
            on_error(file, error)
    return slices


def require_believable_size(file: Path, n_slices: int, *slice_shape: int) -> None:
    """Refuse what only a damaged header declares, see `LARGEST_SLICE`.

    Raises:
        ValueError: an axis is empty, or a slice or their number is too large.
    """
    if min(n_slices, *slice_shape) < 1:
        raise ValueError(f"{file}: expected axes of 1 or more, got {(n_slices, *slice_shape)}")
    if math.prod(slice_shape) > LARGEST_SLICE or n_slices > MOST_SLICES:
        raise ValueError(
            f"{file}: expected {MOST_SLICES} slices of {LARGEST_SLICE} pixels at most, got "
            f"{n_slices} of {' x '.join(map(str, slice_shape))}"
        )


def require_volume(volume: Image, n_slices: int) -> None:
    """Refuse a volume to write that has other slices than its source.

    Raises:
        ValueError: the numbers of slices differ.
    """
    if len(volume) != n_slices:
        raise ValueError(f"volume: expected {n_slices} slices, got {len(volume)}")


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
