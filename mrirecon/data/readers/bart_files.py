"""BART's pairs of files: a text .hdr with the sizes, a .cfl with complex64 in column-major order.

Layout: BART documentation, https://mrirecon.github.io/bart/; dimension 0 is the readout, 1 and 2
are phase encodings, 3 coils, 13 slices.
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers.subject import Image
from mrirecon.files import atomic_path

READOUT, PHASE, PHASE_2, COILS, SLICES = 0, 1, 2, 3, 13
N_DIMENSIONS = 16
_LARGEST_HEADER = 1 << 20  # bytes; BART also keeps its command line there
_MOST_DIGITS = 12


def read_sizes(path: Path) -> tuple[int, ...]:
    """Read the sizes of the 16 dimensions from the .hdr beside a .cfl.

    Raises:
        ValueError: there is none, or it is damaged, or the .cfl has another length.
    """
    header = path.with_suffix(".hdr")
    try:
        text = header.read_bytes()[:_LARGEST_HEADER].decode("ascii", "replace")
        n_bytes = path.stat().st_size
    except OSError as error:
        raise ValueError(f"{header}: cannot be read beside its .cfl: {error.strerror}") from error
    lines = text.splitlines()
    places = [number for number, line in enumerate(lines) if line.strip() == "# Dimensions"]
    words = lines[places[0] + 1].split() if places and places[0] + 1 < len(lines) else []
    if not 0 < len(words) <= N_DIMENSIONS or not all(map(_is_size, words)):
        raise ValueError(f"{header}: expected up to 16 sizes of 1 or more, got {words[:17]}")
    sizes = tuple(int(word) for word in words) + (1,) * (N_DIMENSIONS - len(words))
    if math.prod(sizes) * 8 != n_bytes:
        raise ValueError(
            f"{path}: expected {math.prod(sizes) * 8} bytes by its .hdr, got {n_bytes}"
        )
    return sizes


def _is_size(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= _MOST_DIGITS and int(word) > 0


def map_cfl(path: Path) -> NDArray[np.complex64]:
    """Map a .cfl into memory: (slices, coils, rows, cols), rows along the readout.

    The second phase encoding, a third axis of space, comes as slices.

    Raises:
        ValueError: damaged, or other dimensions than space, coils and slices are used.
    """
    sizes = read_sizes(path)
    used = {READOUT, PHASE, PHASE_2, COILS, SLICES}
    others = [axis for axis, size in enumerate(sizes) if size > 1 and axis not in used]
    if others or (sizes[PHASE_2] > 1 and sizes[SLICES] > 1):
        raise ValueError(
            f"{path}: expected dimensions 0, 1, 3 (coils) and either 2 or 13 (slices), got {sizes}"
        )
    values: NDArray[np.complex64] = np.memmap(path, "<c8", "r", shape=sizes, order="F")
    slices = PHASE_2 if sizes[PHASE_2] > 1 else SLICES
    order = (slices, COILS, READOUT, PHASE)
    return values.transpose(*order, *(a for a in range(N_DIMENSIONS) if a not in order)).reshape(
        [sizes[axis] for axis in order]
    )


def write_cfl(path: Path, images: Image) -> None:
    """Write images as complex64, slices along dimension 13.

    Args:
        path: the .cfl; its .hdr is written beside it.
        images: (slices, rows, cols) or (rows, cols).
    """
    volume = images.reshape(-1, *images.shape[-2:])
    sizes = [1] * N_DIMENSIONS
    sizes[SLICES], sizes[READOUT], sizes[PHASE] = volume.shape
    header = f"# Dimensions\n{' '.join(map(str, sizes))}\n"
    with atomic_path(path.with_suffix(".hdr")) as temporary:
        temporary.write_text(header, encoding="ascii")
    with atomic_path(path) as temporary:
        temporary.write_bytes(volume.astype("<c8").transpose(1, 2, 0).tobytes(order="F"))
