"""Check the global heaps of an HDF5 file, on whose damage the HDF5 library never returns.

Values of variable length, as texts and the lines of MRD files, lie in global heaps. Where the size
of a free object in one became 0, HDF5 2.0 walks on the spot for ever. Layout: HDF5 file format
specification 3.0, III.E: signature and version, size of the heap, then objects of index (2 bytes),
references (2), reserved (4), size (8) and data, padded to 8 bytes; index 0 is free space, its head
included.
"""

import mmap
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import h5py

from mrirecon.data.readers.hdf5 import is_inside, open_hdf5

_START = b"GCOL\x01\0\0\0"
_HEAP_HEAD = 16  # bytes
_OBJECT = struct.Struct("<HHIQ")


def require_sound_heaps(path: Path) -> None:
    """Refuse a file that HDF5 might not return from.

    Raises:
        ValueError: a heap, or an object in it, does not fit where it lies.
    """
    try:
        state = path.stat()
        broken = _find_broken_heap(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    if broken is not None:
        raise ValueError(f"{path}: expected a whole HDF5 file, got a damaged heap at {broken}")


@lru_cache(maxsize=4096)  # a file is opened several times, and scanned once
def _find_broken_heap(path: Path, size: int, _changed: int) -> int | None:
    """Give the first byte of a heap that is damaged, None if all are whole."""
    with open_hdf5(path) as opened:
        ranges = sorted(_ranges_of_numbers(opened))
    # A damaged file may place its numbers anywhere.
    numbers = [(min(first, size), min(end, size)) for first, end in ranges]
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        place = 0
        for first, end in [*numbers, (size, size)]:
            start = view.find(_START, place, first)
            while start >= 0:
                place = _end_of_heap(view, start) or 0
                if place == 0:
                    return start
                start = view.find(_START, place, first)
            place = max(place, end)
    return None


def _ranges_of_numbers(file: h5py.File) -> Iterator[tuple[int, int]]:
    """Give (first, end) of the bytes of arrays of numbers, which need no search: they are long."""
    for name in file:
        dataset = file[name] if is_inside(file, name) else None
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "biufc":
            continue
        offset = dataset.id.get_offset()
        if offset is not None:
            yield offset, offset + dataset.id.get_storage_size()
        elif dataset.chunks is not None:
            for number in range(dataset.id.get_num_chunks()):
                chunk = dataset.id.get_chunk_info(number)
                yield chunk.byte_offset, chunk.byte_offset + chunk.size


def _end_of_heap(view: mmap.mmap, start: int) -> int | None:
    """Walk a heap's objects; None if one does not fit."""
    head = view[start + len(_START) : start + _HEAP_HEAD]
    end = start + int.from_bytes(head, "little")
    if len(head) < 8 or not start + _HEAP_HEAD <= end <= len(view):
        return None
    place = start + _HEAP_HEAD
    while end - place >= _OBJECT.size:
        index, _, _, size = _OBJECT.unpack_from(view, place)
        needed = size if index == 0 else _OBJECT.size + -(-size // 8) * 8
        if not _OBJECT.size <= needed <= end - place:
            return None
        place += needed
    return end
