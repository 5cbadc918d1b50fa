"""Acquisitions of an MRD file along trajectories: radial, spiral, stacks of them, and 3-D ones.

Format: Inati et al. 2017, DOI 10.1002/mrm.26089. It stores coordinates (kx, ky[, kz]) of each
sample and leaves their unit to the writer. Here kx belongs to rows, as the readout of lines does.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import h5py
import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers.measured import Kspace, Measured
from mrirecon.data.readers.mrd_header import Encoding
from mrirecon.data.readers.mrd_heads import Heads
from mrirecon.data.readers.mrd_lines import require_one_kind, require_within
from mrirecon.data.readers.mrd_samples import Line, read_lines
from mrirecon.data.readers.mrd_volumes import order_slices
from mrirecon.data.readers.subject import require_believable_size
from mrirecon.data.readers.volume import OpenVolume


def open_trajectory(
    path: Path,
    table: h5py.Dataset,
    heads: Heads,
    encoding: Encoding,
    read_noise: Callable[[], Kspace | None],
) -> OpenVolume:
    """Describe k-space along a trajectory; images of it are not read but reconstructed.

    Args:
        path: named in errors.
        table: of acquisitions.
        heads: of those of the images of one volume.
        encoding: of the header.
        read_noise: gives the noise received without excitation, if there is any.

    Raises:
        ValueError: no trajectory is stored, or sizes that do not belong together.
    """
    numbers, spacing = order_slices(heads)
    n_coils = int(heads["head"]["active_channels"][0])
    n_axes = _require_trajectory(path, heads, encoding, len(numbers), n_coils)
    rows_mm, cols_mm, depth_mm = encoding.pixel_size
    is_3d = encoding.encoded[2] > 1

    def refuse(_number: int) -> NoReturn:
        raise ValueError(
            f"{path}: expected a Cartesian trajectory to make images of, got "
            f"{encoding.trajectory}; 'mrirecon reconstruct' takes it"
        )

    def measure() -> Measured:
        of_slices = [
            list(read_lines(path, table, heads[heads["head"]["idx"]["slice"] == number]))
            for number in numbers
        ]
        _require_equal_counts(path, of_slices)
        return Measured(
            np.stack([np.concatenate([line.samples for line in of], axis=1) for of in of_slices]),
            (encoding.image_depth, *encoding.image_shape) if is_3d else encoding.image_shape,
            tuple(encoding.encoded[axis] for axis in ((2, 0, 1) if is_3d else (0, 1))),
            positions=np.stack(
                [np.concatenate([line.positions[:, :n_axes] for line in of]) for of in of_slices]
            ),
            partitions=_partitions(of_slices, encoding) if is_3d and n_axes == 2 else None,
            voxel_size=(depth_mm if is_3d else spacing or depth_mm, rows_mm, cols_mm),
            noise=read_noise(),
        )

    return OpenVolume(
        len(numbers),
        encoding.image_shape,
        np.dtype(np.float32),
        refuse,
        f"measured k-space of {n_coils} coils along a trajectory ({encoding.trajectory})",
        measure=measure,
        read_noise=read_noise,
    )


def _require_trajectory(
    path: Path, heads: Heads, encoding: Encoding, n_slices: int, n_coils: int
) -> int:
    """Check what the headers declare, and give the number of axes that are coordinates."""
    require_one_kind(path, heads)
    stored = heads["head"]["trajectory_dimensions"]
    n_axes = int(stored[0])
    if len(np.unique(stored)) > 1 or n_axes not in (2, 3):
        found = ", ".join(map(str, np.unique(stored)))
        raise ValueError(
            f"{path}: expected 2 or 3 stored coordinates of each sample ({encoding.trajectory}), "
            f"got {found}"
        )
    depth = encoding.encoded[2]
    require_believable_size(path, n_slices * depth, n_coils, *encoding.encoded[:2])
    if depth == 1:
        return 2  # a third column is a density to some writers
    if n_slices > 1:
        raise ValueError(f"{path}: expected one slab of 3-D encoding, got {n_slices}")
    if n_axes == 2:
        require_within(path, heads, 2, depth, encoding.second_limits)
    return n_axes


def _require_equal_counts(path: Path, of_slices: list[list[Line]]) -> None:
    counts = sorted({sum(line.samples.shape[1] for line in lines) for lines in of_slices})
    if len(counts) > 1:
        raise ValueError(
            f"{path}: expected as many samples in each slice, got {counts[0]} to {counts[-1]}"
        )


def _partitions(of_slices: list[list[Line]], encoding: Encoding) -> NDArray[np.float32]:
    """Give the place of each sample along the depth [cycles per field of view]."""
    counters = [
        np.repeat(
            [int(line.head["idx"]["kspace_encode_step_2"]) for line in lines],
            [line.samples.shape[1] for line in lines],
        )
        for lines in of_slices
    ]
    return (np.stack(counters) - encoding.second_limits[2]).astype(np.float32)
