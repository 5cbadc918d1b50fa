"""The slice store: all prepared slices of a data set, read from a memory map of one HDF5 file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers import SPLITS, Image, Split
from mrirecon.data.store_file import (
    StoredSubject,
    digest_of,
    open_store_file,
    read_subjects,
    require_format,
    slice_offsets,
)


class SliceStore:
    """A store opened for reading; the tables are in memory, the images on disk.

    Args:
        path: file made by `prepare`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is cut off, or no slice store of this format.

    Examples:
        >>> from mrirecon.data import SliceStore
        >>> with SliceStore("store.h5") as store:
        ...     len(store), store.splits, store.read_rows([0, 5]).shape
        (80, ('train', 'val', 'test'), (2, 32, 32))
    """

    path: Path
    """The file."""
    subjects: tuple[StoredSubject, ...]
    """In the order of the images."""
    provenance: dict[str, Any]
    """Where the slices come from, what was done to them, and the licences found beside them."""
    volumes: NDArray[np.int64]
    """(n,), for each slice the index of its subject."""
    numbers: NDArray[np.int64]
    """(n,), for each slice its number within the source."""
    scales: NDArray[np.float32]
    """(n_subjects,), largest magnitude of each volume."""
    dtype: np.dtype[Any]
    """Type of the pixels."""
    shapes: tuple[tuple[int, ...], ...]
    """Of the slices of each bucket, in the order of their first slices."""
    buckets: NDArray[np.int64]
    """(n,), for each slice the index of its bucket in `shapes`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with open_store_file(self.path) as file:
            require_format(self.path, file)
            try:
                self._read_tables(file)
            except (KeyError, OSError, json.JSONDecodeError) as error:
                raise ValueError(
                    f"{self.path}: expected a whole slice store, got {error}"
                ) from error
        self._bytes: NDArray[np.uint8] | None = np.memmap(self.path, np.uint8, "r")

    def _read_tables(self, file: h5py.File) -> None:
        self.provenance = json.loads(file.attrs["provenance"])
        images = [file[f"images/{place}"] for place in range(len(file["images"]))]
        self.subjects = read_subjects(file["subjects"], images)
        self.numbers = file["slices/number"][()]
        self.scales = file["subjects/scale"][()]
        self.dtype = images[0].dtype
        counts = [subject.count for subject in self.subjects]
        self.volumes = np.repeat(np.arange(len(counts)), counts)
        self.shapes = tuple(dict.fromkeys(subject.shape for subject in self.subjects))
        bucket_of = [self.shapes.index(subject.shape) for subject in self.subjects]
        self.buckets = np.repeat(np.array(bucket_of), counts)
        self._offsets = slice_offsets(self.path, images)

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
        """Let go of the file; the images can no longer be read."""
        self._bytes = None

    @property
    def is_complex(self) -> bool:
        """Whether slices are complex images of every coil; they are magnitudes otherwise."""
        return self.dtype.kind == "c"

    @property
    def is_simulated(self) -> bool:
        """Whether k-space made of the images is a simulation, as of all magnitudes."""
        return bool(self.provenance.get("simulated", True))

    @property
    def splits(self) -> tuple[Split, ...]:
        """Splits that hold a slice."""
        return tuple(split for split in SPLITS if any(s.split == split for s in self.subjects))

    def rows_of(self, split: str) -> range:
        """Give the rows of a split's slices.

        Raises:
            ValueError: the store has no slice of that split.
        """
        inside = [subject for subject in self.subjects if subject.split == split]
        if not inside:
            there = ", ".join(self.splits) or "no split"
            raise ValueError(f"split: expected one in {self.path} ({there}), got {split!r}")
        return range(inside[0].first, inside[-1].first + inside[-1].count)

    def read_rows(self, rows: Sequence[int] | NDArray[np.int64], out: Image | None = None) -> Image:
        """Copy slices of one bucket, in any order.

        Args:
            rows: (count,) of the slices, one at least.
            out: (count, *shape), of the store's type, contiguous, to copy into.

        Returns:
            (count, *shape): `out`, or a new array.

        Raises:
            ValueError: the store is closed, or the slices differ in shape.
        """
        if self._bytes is None:
            raise ValueError(f"{self.path}: expected an open store, got a closed one")
        places = np.asarray(rows, np.int64)
        found = np.unique(self.buckets[places])
        if len(found) != 1:
            shapes = ", ".join(str(self.shapes[bucket]) for bucket in found)
            raise ValueError(f"rows: expected slices of one shape, got {shapes or 'none'}")
        shape = (len(places), *self.shapes[found[0]])
        images = np.empty(shape, self.dtype) if out is None else out
        target = images.reshape(len(places), -1).view(np.uint8)
        for slot, offset in zip(target, self._offsets[places].tolist(), strict=True):
            slot[:] = self._bytes[offset : offset + len(slot)]
        return images

    def require_unchanged(self) -> None:
        """Compare every volume with its digest.

        Raises:
            ValueError: bytes of a volume are not those that were written; names it.
        """
        for subject in self.subjects:
            images = self.read_rows(range(subject.first, subject.first + subject.count))
            if digest_of(images) != subject.digest:
                raise ValueError(
                    f"{self.path}: expected the pixels of {subject.name} as they were prepared, "
                    "got others"
                )
