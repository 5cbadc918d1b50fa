"""K-space as it lies in a file: what was measured, where, and the noise beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Kspace = NDArray[np.complex64]


@dataclass(frozen=True)
class Measured:
    """K-space of one volume, full or undersampled, on the grid or along a trajectory.

    3-D Cartesian k-space comes transformed along the readout, which is always measured densely:
    its slices are places along the readout, without oversampling, its rows the second and its cols
    the first phase encoding.

    Attributes:
        kspace: (slices, coils, rows, cols), centre at n // 2 and 0 where not measured, or along a
            trajectory (slices, coils, samples).
        image_shape: (rows, cols), or (depth, rows, cols) of a 3-D trajectory, to crop images to.
        grid_shape: the same of the encoded grid, readout oversampling included.
        was_measured: (slices, rows, cols); None where the file does not count its samples, so that
            those not 0 are taken for measured.
        positions: of samples along a trajectory, (slices, samples, 2 or 3), order (row, col[,
            depth]), in the unit of the file; None on the grid.
        partitions: of a stack of 2-D trajectories, (slices, samples), the depth of each sample
            [cycles per field of view]; else None.
        voxel_size: distance between (slices, rows, cols) [mm].
        noise: (coils, samples), received without excitation, scaled to the bandwidth of `kspace`.
        notes: what else one should know.
    """

    kspace: Kspace
    image_shape: tuple[int, ...]
    grid_shape: tuple[int, ...]
    was_measured: NDArray[np.bool_] | None = None
    positions: NDArray[np.float32] | None = None
    partitions: NDArray[np.float32] | None = None
    voxel_size: tuple[float, float, float] | None = None
    noise: Kspace | None = None
    notes: tuple[str, ...] = ()
