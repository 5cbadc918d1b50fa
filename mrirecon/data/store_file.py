"""The file of a slice store: what it holds, and how its tables are read.

Layout of format 2, for `s` volumes, those of a split next to each other, with `n` slices in all:

    /                     attributes: format "mrirecon-slices", format_version, provenance (JSON)
    /images/0, 1, ...     one for each volume, contiguous, all of one type: magnitudes (count, rows,
                          cols) as in the files, or complex64 images (count, coils, rows, cols)
    /slices/number        (n,) int64, number of the slice within its source
    /subjects/name        (s,) text, also /subjects/person and /subjects/split
    /subjects/files       (s,) text, JSON list of files, relative to the source
    /subjects/digest      (s,) text, BLAKE2b of the volume's bytes, 128 bits in hexadecimal
    /subjects/scale       (s,) float32, largest magnitude of the volume; image / scale is in [0, 1]
    /subjects/voxel_size  (s, 3) float64 [mm], between slices, rows, cols; NaN where unknown

Volumes are not compressed, so that their slices are read from a memory map of the file, by any
number of threads and processes, without HDF5 and its lock. Volumes whose slices have one shape
form a bucket; a batch comes from one bucket.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import cast

import h5py
import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers import Image, Split

FORMAT = "mrirecon-slices"
FORMAT_VERSION = 2
TEXT_COLUMNS = ("name", "person", "split", "files", "digest")


@dataclass(frozen=True)
class StoredSubject:
    """One volume of the store."""

    name: str
    person: str
    """Whom it shows; a person is in one split only."""
    split: Split
    files: tuple[str, ...]
    """Files it was read from, relative to the source."""
    digest: str
    """BLAKE2b of its bytes, see `digest_of`."""
    scale: float
    """Largest magnitude of the volume, in the files' units."""
    voxel_size: tuple[float, float, float] | None
    """Distance between (slices, rows, cols) [mm]."""
    shape: tuple[int, ...]
    """Of a slice: (rows, cols) of magnitudes, (coils, rows, cols) of complex images."""
    first: int
    """First row of its slices in the store."""
    count: int
    """Number of slices."""


def digest_of(images: Iterable[Image]) -> str:
    """Hash slices one after another: BLAKE2b of their bytes, 128 bits in hexadecimal."""
    digest = blake2b(digest_size=16)
    for image in images:
        digest.update(np.ascontiguousarray(image).view(np.uint8).data)
    return digest.hexdigest()


def open_store_file(path: Path) -> h5py.File:
    """Open a store's file for reading, or say why it is none."""
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


def require_format(path: Path, file: h5py.File) -> None:
    """Refuse an HDF5 file that is no slice store, or one of another version."""
    found = file.attrs.get("format")
    if found != FORMAT:
        raise ValueError(f"{path}: expected a slice store, got an HDF5 file of another format")
    version = int(file.attrs["format_version"])
    if version != FORMAT_VERSION:
        older = "; it is older: make it anew with 'mrirecon prepare'"
        raise ValueError(
            f"{path}: expected format version {FORMAT_VERSION}, got {version}"
            f"{older if version < FORMAT_VERSION else ''}"
        )


def slice_offsets(path: Path, images: Sequence[h5py.Dataset]) -> NDArray[np.int64]:
    """Give the place of each slice in the file [bytes]."""
    offsets = []
    for dataset in images:
        start, stride = dataset.id.get_offset(), dataset.nbytes // len(dataset)
        if start is None or dataset.dtype != images[0].dtype:
            raise ValueError(f"{path}: expected contiguous volumes of one type, got {dataset.name}")
        if start + dataset.nbytes > path.stat().st_size:
            raise ValueError(f"{path}: expected a whole slice store, got a file that is cut off")
        offsets.append(start + stride * np.arange(len(dataset)))
    return np.concatenate(offsets)


def read_subjects(table: h5py.Group, images: Sequence[h5py.Dataset]) -> tuple[StoredSubject, ...]:
    """Join the tables' columns with the shapes of the volumes."""
    texts = zip(*(table[key].asstr()[()] for key in TEXT_COLUMNS), strict=True)
    firsts = np.cumsum([0, *(len(dataset) for dataset in images)]).tolist()
    return tuple(
        StoredSubject(
            name=name,
            person=person,
            split=cast(Split, split),
            files=tuple(json.loads(files)),
            digest=digest,
            scale=float(scale),
            voxel_size=None if np.isnan(size).any() else tuple(size.tolist()),
            shape=dataset.shape[1:],
            first=first,
            count=len(dataset),
        )
        for (name, person, split, files, digest), scale, size, dataset, first in zip(
            texts, table["scale"][()], table["voxel_size"][()], images, firsts, strict=False
        )
    )
