"""Open HDF5 files that others made, trusting nothing they declare."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

SUFFIXES = (".h5", ".hdf5", ".mrd")
MRD_GROUP, MRD_TABLE, MRD_HEADER = "dataset", "data", "xml"
FASTMRI_KSPACE = "kspace"
FASTMRI_TARGETS = ("reconstruction_rss", "reconstruction_esc")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BROKEN = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    AttributeError,
)


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading; what h5py raises for a broken file names the file in one line.

    Raises:
        ValueError: the file is broken, within this context as well.
    """
    try:
        with h5py.File(path, "r") as file:
            yield file
    except _BROKEN as error:
        if str(error).startswith(str(path)):
            raise
        detail = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: expected a whole HDF5 file, got an error: {detail}") from error


def hdf5_kind(path: Path) -> str | None:
    """Tell "fastMRI" from "MRD"; None for another.

    Damaged HDF5 counts as fastMRI, whose reader then says what is wrong with it.
    """
    try:
        with open_hdf5(path) as file:
            if any(name in file for name in (FASTMRI_KSPACE, *FASTMRI_TARGETS)):
                return "fastMRI"
            return "MRD" if mrd_group(file) is not None else None
    except ValueError:
        with path.open("rb") as damaged:
            return "fastMRI" if damaged.read(len(_SIGNATURE)) == _SIGNATURE else None


def mrd_group(file: h5py.File) -> str | None:
    """Name the group that holds acquisitions and their header, None if there is none."""
    for name in (MRD_GROUP, *sorted(set(file) - {MRD_GROUP})):
        group = file.get(name) if is_inside(file, name) else None
        if isinstance(group, h5py.Group) and {MRD_TABLE, MRD_HEADER} <= set(group):
            return str(name)
    return None


def is_inside(group: h5py.Group, name: str) -> bool:
    """Tell whether a member is stored in this file and not linked from another."""
    link = group.get(name, getlink=True)
    return link is not None and not isinstance(link, h5py.ExternalLink)


def require_dataset(path: Path, group: h5py.Group, name: str) -> h5py.Dataset:
    """Give a dataset that lies in this file with all of its values.

    Raises:
        ValueError: it is missing, no dataset, in another file, or holds no values.
    """
    if not is_inside(group, name):
        found = ", ".join(group) or "nothing"
        raise ValueError(f"{path}: expected a dataset {name} in this file, got {found}")
    dataset: Any = group[name]
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"{path}: {name}: expected a dataset, got a group")
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{path}: {name}: expected values in this file, got those of another")
    if dataset.size and dataset.id.get_storage_size() == 0:
        raise ValueError(f"{path}: {name}: expected values, got {dataset.shape} without any")
    if h5py.check_string_dtype(dataset.dtype) is not None:
        _require_possible_length(path, dataset)
    return dataset


def _require_possible_length(path: Path, text: h5py.Dataset) -> None:
    """Refuse a text that is longer than its file, for which HDF5 would take as much memory.

    A text of variable length is stored as 4 bytes of length before its place in a heap: HDF5 file
    format specification 3.0, VIII.
    """
    start = text.id.get_offset()
    if h5py.check_string_dtype(text.dtype).length is not None or start is None:
        return
    with path.open("rb") as file:
        file.seek(start)
        length = int.from_bytes(file.read(4), "little")
    size = path.stat().st_size
    if length > size:
        raise ValueError(f"{path}: {text.name}: expected {size} bytes at most, got {length}")
