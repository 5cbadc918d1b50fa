"""The headers of the acquisitions of an MRD file, read without their samples.

Layout: Inati et al. 2017, DOI 10.1002/mrm.26089.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Heads = NDArray[np.void]
"""Fields `row`, the place in the table, and `head`, the header of the acquisition."""
_NOISE, _REVERSED, _PHASE_CORRECTION = 19, 22, 24  # bits, from 1
_NO_IMAGING_FLAGS = (_NOISE, 20, 23, _PHASE_CORRECTION, 26, 27, 28, 29, 30, 31)
"""Noise, calibration alone, navigator, phase correction, feedback, dummy, ..."""
_COUNTS = {"flags", "idx", "number_of_samples", "active_channels", "encoding_space_ref"}
_READOUT = {"center_sample", "discard_pre", "discard_post", "sample_time_us"}
_PLACE = {"trajectory_dimensions", "position", "slice_dir"}
_USED = _COUNTS | _READOUT | _PLACE


def read_heads(path: Path, table: h5py.Dataset) -> Heads:
    """Read the headers of all acquisitions.

    Raises:
        ValueError: the table is damaged.
    """
    if table.dtype.names is None or not {"head", "data"} <= set(table.dtype.names):
        raise ValueError(f"{path}: expected a table of acquisitions, got {table.dtype}")
    _require_members_apart(path, table.dtype)
    heads = _read_heads(path, table)
    names = set(heads.dtype.names or ())
    if _USED - names:
        raise ValueError(f"{path}: expected headers of acquisitions, got {', '.join(names)}")
    numbered = np.empty(len(heads), [("row", "i8"), ("head", heads.dtype)])
    numbered["row"], numbered["head"] = np.arange(len(heads)), heads
    return numbered


def imaging_heads(path: Path, heads: Heads) -> Heads:
    """Choose the acquisitions that make the image.

    Raises:
        ValueError: there is none.
    """
    bits = np.uint64(sum(1 << (bit - 1) for bit in _NO_IMAGING_FLAGS))
    found: Heads = heads[heads["head"]["flags"] & bits == 0]
    if not len(found):
        raise ValueError(f"{path}: expected acquisitions of an image, got {len(heads)} others")
    return found


def noise_heads(heads: Heads) -> Heads:
    """Choose the acquisitions without excitation."""
    return heads[_has(heads, _NOISE)]


def correction_heads(heads: Heads) -> Heads:
    """Choose the lines through the centre that tell the phase between directions of EPI."""
    return heads[_has(heads, _PHASE_CORRECTION)]


def is_reversed(heads: Heads) -> NDArray[np.bool_]:
    """Tell which acquisitions were read backwards, (acquisitions,)."""
    return _has(heads, _REVERSED)


def _has(heads: Heads, bit: int) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = heads["head"]["flags"] & np.uint64(1 << (bit - 1)) != 0
    return flags


def _read_heads(path: Path, table: h5py.Dataset) -> NDArray[np.void]:
    """Read the headers alone from the bytes of the table.

    Where HDF5 leaves samples of variable length out, it still reads them all and keeps the memory.
    """
    if table.chunks is None or table.id.get_create_plist().get_nfilters():
        heads: NDArray[np.void] = table.fields("head")[()]
        return heads
    record = _record_of(table)
    chunks = []
    for first in range(0, len(table), table.chunks[0]):
        _, stored = table.id.read_direct_chunk((first,))
        n_bytes = table.chunks[0] * record.itemsize
        if len(stored) != n_bytes:
            raise ValueError(f"{path}: expected {n_bytes} bytes, got {len(stored)}")
        records = np.frombuffer(stored, record)[: len(table) - first]
        _require_lengths(path, records)
        chunks.append(records["head"])
    return np.concatenate(chunks)


def _record_of(table: h5py.Dataset) -> np.dtype[Any]:
    """Give the layout of a record in the file: its header, and how many values belong to it.

    Values of variable length are stored as 4 bytes with their number, and where they lie.
    """
    stored = table.id.get_type()
    head, *_ = table.dtype.fields["head"]
    formats: dict[str, Any] = {"head": head, "data": "<u4", "traj": "<u4"}
    names = [name for name in formats if name in table.dtype.fields]
    members = [stored.get_member_index(name.encode()) for name in names]
    return np.dtype(
        {
            "names": names,
            "formats": [formats[name] for name in names],
            "offsets": [stored.get_member_offset(member) for member in members],
            "itemsize": stored.get_size(),
        }
    )


def _require_lengths(path: Path, records: NDArray[np.void]) -> None:
    """Refuse values of another number than a header says: HDF5 would take memory for all."""
    head = records["head"]
    if _USED - set(head.dtype.names or ()):
        return  # told of later
    count = head["number_of_samples"].astype(np.int64)
    expected = {"data": 2 * count * head["active_channels"]}
    if "traj" in (records.dtype.names or ()):
        expected["traj"] = count * head["trajectory_dimensions"]
    for name, numbers in expected.items():
        wrong = np.flatnonzero(records[name] != numbers)
        if len(wrong):
            first = wrong[0]
            raise ValueError(
                f"{path}: expected {numbers[first]} numbers as {name} of acquisition {first}, got "
                f"{records[name][first]}"
            )


def _require_members_apart(path: Path, dtype: np.dtype[Any]) -> None:
    """Refuse a damaged type whose members overlap: HDF5 would write beyond its memory."""
    members = sorted((dtype.fields or {}).values(), key=lambda field: int(field[1]))
    ends = [*(field[1] for field in members[1:]), dtype.itemsize]
    for (member, offset, *_), end in zip(members, ends, strict=False):
        if offset + member.itemsize > end:
            raise ValueError(f"{path}: expected members of a type side by side, got an overlap")
        _require_members_apart(path, member)
