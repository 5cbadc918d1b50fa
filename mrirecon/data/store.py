"""The slice store: one HDF5 file with all prepared slices of a data set.

Layout of format 1; `n` slices of `s` subjects, those of a split next to each other:

    /                     attributes: format "mrirecon-slices", format_version, provenance (JSON)
    /images               (n, rows, cols), in the files' type, one chunk for each slice
    /slices/subject       (n,) int64, row in /subjects
    /slices/number        (n,) int64, number of the slice within its source
    /subjects/name        (s,) text, also /subjects/person and /subjects/split
    /subjects/files       (s,) text, JSON list of files, relative to the source
    /subjects/scale       (s,) float32, largest value of the volume; image / scale is in [0, 1]
    /subjects/voxel_size  (s, 3) float64 [mm], between slices, rows, cols; NaN where unknown
    /subjects/first       (s,) int64, first row in /images; /subjects/count: number of rows
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import h5py
import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers import SPLITS, Image, Split

FORMAT = "mrirecon-slices"
FORMAT_VERSION = 1
TEXT_COLUMNS = ("name", "person", "split", "files")


@dataclass(frozen=True)
class StoredSubject:
    """One volume of the store."""

    name: str
    person: str
    """Whom it shows; a person is in one split only."""
    split: Split
    files: tuple[str, ...]
    """Files it was read from, relative to the source."""
    scale: float
    """Largest value of the volume, in the files' units."""
    voxel_size: tuple[float, float, float] | None
    """Distance between (slices, rows, cols) [mm]."""
    first: int
    """First row in the store's images."""
    count: int
    """Number of slices."""


class SliceStore:
    """A store opened for reading; the tables are in memory, the images on disk.

    Args:
        path: file made by `prepare`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is cut off, or no slice store of this format.
    """

    path: Path
    """The file."""
    subjects: tuple[StoredSubject, ...]
    """In the order of the images."""
    provenance: dict[str, Any]
    """Where the slices come from and what was done to them."""
    volumes: NDArray[np.int64]
    """(n,), for each image the index of its subject."""
    numbers: NDArray[np.int64]
    """(n,), for each image its slice number within the source."""
    scales: NDArray[np.float32]
    """(n_subjects,), largest value of each volume."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = _open(self.path)
        try:
            _require_format(self.path, self._file)
            self._images = self._file["images"]
            self.provenance = json.loads(self._file.attrs["provenance"])
            self.volumes = self._file["slices/subject"][()]
            self.numbers = self._file["slices/number"][()]
            self.scales = self._file["subjects/scale"][()]
            self.subjects = _read_subjects(self._file["subjects"])
        except (KeyError, OSError, json.JSONDecodeError) as error:
            self._file.close()
            raise ValueError(f"{self.path}: expected a whole slice store, got {error}") from error
        except ValueError:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        """Give the store."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def __len__(self) -> int:
        """Count the slices of all splits."""
        return len(self.volumes)

    def close(self) -> None:
        """Close the file; the images can no longer be read."""
        self._file.close()

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of every slice."""
        return cast(tuple[int, int], self._images.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""
        return cast("np.dtype[Any]", self._images.dtype)

    @property
    def splits(self) -> tuple[Split, ...]:
        """Splits that hold a slice."""
        return tuple(split for split in SPLITS if any(s.split == split for s in self.subjects))

    def rows_of(self, split: str) -> range:
        """Give the rows of a split's images.

        Raises:
            ValueError: the store has no slice of that split.
        """
        inside = [subject for subject in self.subjects if subject.split == split]
        if not inside:
            there = ", ".join(self.splits) or "no split"
            raise ValueError(f"split: expected one in {self.path} ({there}), got {split!r}")
        return range(inside[0].first, inside[-1].first + inside[-1].count)

    def read_range(self, rows: range) -> Image:
        """Read neighbouring images: (len(rows), rows, cols)."""
        return cast(Image, self._images[rows.start : rows.stop])

    def read_rows(self, rows: NDArray[np.int64]) -> Image:
        """Read images in any order: (len(rows), rows, cols)."""
        images = np.empty((len(rows), *self.shape), self.dtype)
        for place, row in enumerate(rows):
            self._images.read_direct(images, np.s_[row], np.s_[place])
        return images


def _open(path: Path) -> h5py.File:
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such store; make one with 'mrirecon prepare'")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if path.is_dir() or isinstance(error, PermissionError):
            raise OSError(f"{path}: expected a slice store that can be read") from error
        cut_off = "truncated" in str(error)
        found = "a file that is cut off" if cut_off else "another kind of file"
        raise ValueError(f"{path}: expected a slice store (HDF5), got {found}") from error


def _require_format(path: Path, file: h5py.File) -> None:
    found = file.attrs.get("format")
    if found != FORMAT:
        raise ValueError(f"{path}: expected a slice store, got an HDF5 file of another format")
    version = int(file.attrs["format_version"])
    if version != FORMAT_VERSION:
        raise ValueError(f"{path}: expected format version {FORMAT_VERSION}, got {version}")


def _read_subjects(table: h5py.Group) -> tuple[StoredSubject, ...]:
    texts = [table[key].asstr()[()] for key in TEXT_COLUMNS]
    numbers = [table[key][()] for key in ("scale", "voxel_size", "first", "count")]
    return tuple(
        StoredSubject(
            name=name,
            person=person,
            split=split,
            files=tuple(json.loads(files)),
            scale=float(scale),
            voxel_size=None if np.isnan(size).any() else tuple(size.tolist()),
            first=int(first),
            count=int(count),
        )
        for name, person, split, files, scale, size, first, count in zip(
            *texts, *numbers, strict=True
        )
    )
