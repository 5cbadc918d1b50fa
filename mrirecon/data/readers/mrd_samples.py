"""The samples of acquisitions of an MRD file, read in blocks and checked against their headers.

Layout: Inati et al. 2017, DOI 10.1002/mrm.26089.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers.measured import Kspace
from mrirecon.data.readers.mrd_heads import Heads, is_reversed, noise_heads

_BLOCK = 256
"""Acquisitions that are read together."""
_MOST_NOISE = 1 << 24
"""Samples of noise, all coils together, that are read; a covariance needs far fewer."""


class Line(NamedTuple):
    """One acquisition without the samples that are to be discarded, in the order of rising k."""

    head: Any
    samples: Kspace
    """(coils, samples)."""
    centre: int
    """Index of the centre of k-space in `samples`; may lie outside of them."""
    positions: NDArray[np.float32]
    """(samples, dimensions of the trajectory)."""
    is_reversed: bool


def read_lines(path: Path, table: h5py.Dataset, heads: Heads) -> Iterator[Line]:
    """Read acquisitions one after the other; lines that were read backwards are turned around.

    Raises:
        ValueError: samples or positions are not as many as a header says.
    """
    for first in range(0, len(heads), _BLOCK):
        block = heads[first : first + _BLOCK]
        stored = _fetch(table, block["row"])
        for head, backwards, record in zip(block["head"], is_reversed(block), stored, strict=True):
            yield _cut_line(path, head, record, is_backwards=bool(backwards))


def _fetch(table: h5py.Dataset, rows: NDArray[np.int64]) -> NDArray[np.void]:
    """Read records; HDF5 reads a stretch far faster than places in it."""
    first, last = int(rows[0]), int(rows[-1]) + 1
    if last - first > 2 * len(rows):
        chosen: NDArray[np.void] = table[rows]
        return chosen
    stretch: NDArray[np.void] = table[first:last][rows - first]
    return stretch


def _cut_line(path: Path, head: Any, record: Any, *, is_backwards: bool) -> Line:
    n_coils, count = int(head["active_channels"]), int(head["number_of_samples"])
    values = record["data"]
    if values.size != n_coils * count * 2:
        raise ValueError(
            f"{path}: expected {n_coils} x {count} samples of a line, got {values.size / 2:g}"
        )
    samples = np.ascontiguousarray(values, np.float32).view(np.complex64).reshape(n_coils, count)
    positions = _positions(path, head, record, count)
    first, last = int(head["discard_pre"]), count - int(head["discard_post"])
    centre = int(head["center_sample"]) - first
    if first >= last:
        raise ValueError(f"{path}: expected samples of a line to keep, got {first} to {last}")
    samples, positions = samples[:, first:last], positions[first:last]
    if is_backwards:
        samples, positions = samples[:, ::-1], positions[::-1]
        centre = samples.shape[1] - 1 - centre
    return Line(head, samples, centre, positions, is_backwards)


def _positions(path: Path, head: Any, record: Any, count: int) -> NDArray[np.float32]:
    n_axes = int(head["trajectory_dimensions"])
    if n_axes == 0:
        return np.zeros((count, 0), np.float32)
    stored = record["traj"] if "traj" in record.dtype.names else np.zeros(0, np.float32)
    if stored.size != count * n_axes:
        raise ValueError(
            f"{path}: expected {count} x {n_axes} coordinates of a line, got {stored.size}"
        )
    return np.asarray(stored, np.float32).reshape(count, n_axes)


def read_noise(path: Path, table: h5py.Dataset, heads: Heads, images: Heads) -> Kspace | None:
    """Read what the coils received without excitation, None if nothing fits the images' coils.

    The variance of noise is as the bandwidth, the inverse of the time between samples, and it is
    scaled to that of the images where both times are known.

    Args:
        path: named in errors.
        table: of acquisitions.
        heads: of all acquisitions.
        images: of those of the images.

    Returns:
        complex64, (coils, samples).
    """
    n_coils = int(images["head"]["active_channels"][0])
    found = noise_heads(heads)
    found = found[found["head"]["active_channels"] == n_coils]
    sizes = np.cumsum(found["head"]["number_of_samples"].astype(np.int64) * n_coils)
    found = found[sizes <= max(_MOST_NOISE, sizes[0] if len(sizes) else 0)]
    if not len(found):
        return None
    lines = read_lines(path, table, found)
    noise = np.concatenate([line.samples * _scale(line.head, images) for line in lines], axis=1)
    if not np.isfinite(noise.view(np.float32)).all():
        raise ValueError(f"{path}: expected finite noise samples, got NaN or Inf")
    return noise


def _scale(noise: Any, images: Heads) -> np.float32:
    """Give the factor from noise as it was received to that in the images."""
    times = float(noise["sample_time_us"]), float(images["head"]["sample_time_us"][0])
    is_known = all(np.isfinite(time) and time > 0 for time in times)
    return np.float32(np.sqrt(times[0] / times[1])) if is_known else np.float32(1)
