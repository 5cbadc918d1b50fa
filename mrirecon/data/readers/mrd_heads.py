"""The headers of the acquisitions of an MRD file, read without their samples.

Layout: Inati et al. 2017, DOI 10.1002/mrm.26089.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Heads = NDArray[np.void]
_NO_IMAGING_FLAGS = (19, 20, 23, 24, 26, 27, 28, 29, 30, 31)
"""Bits, from 1: noise, calibration alone, navigator, phase correction, feedback, dummy, ..."""
_NO_IMAGING = np.uint64(sum(1 << (bit - 1) for bit in _NO_IMAGING_FLAGS))


def imaging_heads(path: Path, table: h5py.Dataset) -> Heads:
    """Read the headers of the acquisitions, with a field `row`, for those that make the image.

    Raises:
        ValueError: the table is damaged, or no acquisition is of an image.
    """
    if table.dtype.names is None or not {"head", "data"} <= set(table.dtype.names):
        raise ValueError(f"{path}: expected a table of acquisitions, got {table.dtype}")
    _require_members_apart(path, table.dtype)
    heads = _read_heads(path, table)
    names = set(heads.dtype.names or ())
    if not {"flags", "number_of_samples", "active_channels", "center_sample", "idx"} <= names:
        raise ValueError(f"{path}: expected headers of acquisitions, got {', '.join(names)}")
    numbered = np.empty(len(heads), [("row", "i8"), ("head", heads.dtype)])
    numbered["row"], numbered["head"] = np.arange(len(heads)), heads
    found: Heads = numbered[heads["flags"] & _NO_IMAGING == 0]
    if not len(found):
        raise ValueError(f"{path}: expected acquisitions of an image, got {len(heads)} others")
    return found


def _read_heads(path: Path, table: h5py.Dataset) -> NDArray[np.void]:
    """Read the headers alone from the bytes of the table.

    Where HDF5 leaves samples of variable length out, it still reads them all and keeps the memory.
    """
    if table.chunks is None or table.id.get_create_plist().get_nfilters():
        heads: NDArray[np.void] = table.fields("head")[()]
        return heads
    member, offset, *_ = table.dtype.fields["head"]
    size = table.id.get_type().get_size()
    record = np.dtype(
        {"names": ["head"], "formats": [member], "offsets": [offset], "itemsize": size}
    )
    chunks = []
    for first in range(0, len(table), table.chunks[0]):
        _, stored = table.id.read_direct_chunk((first,))
        if len(stored) != table.chunks[0] * size:
            raise ValueError(f"{path}: expected {table.chunks[0] * size} bytes, got {len(stored)}")
        chunks.append(np.frombuffer(stored, record)["head"])
    return np.concatenate(chunks)[: len(table)]


def _require_members_apart(path: Path, dtype: np.dtype[Any]) -> None:
    """Refuse a damaged type whose members overlap: HDF5 would write beyond its memory."""
    members = sorted((dtype.fields or {}).values(), key=lambda field: int(field[1]))
    ends = [*(field[1] for field in members[1:]), dtype.itemsize]
    for (member, offset, *_), end in zip(members, ends, strict=False):
        if offset + member.itemsize > end:
            raise ValueError(f"{path}: expected members of a type side by side, got an overlap")
        _require_members_apart(path, member)
