"""Radial spokes on the Cartesian grid: each grid point nearest to a spoke counts as measured.

This simulates a radial scan whose samples were gridded without error; for trajectories off the
grid see trajectories.py.
Source of the golden angle: Winkelmann et al. 2007, doi:10.1109/TMI.2006.885337.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mrirecon.sampling.config import SamplingConfig

GOLDEN_ANGLE = 111.246117975  # [degrees], 180 degrees divided by the golden ratio


def draw_spokes(
    config: SamplingConfig, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Measure the number of spokes that meets the acceleration, turned by a random angle.

    The number is the same for every angle, as a scan has it, so the measured acceleration varies
    by a fraction of a percent between masks.

    Args:
        config: the sampling; its strategy is `radial` or `golden_angle`.
        shape: (rows, cols).
        rng: draws the angle of the first spoke unless `config.offset` gives it.

    Returns:
        bool, (rows, cols).

    Raises:
        ValueError: "acceleration: ..." if spokes cannot cover that much of the grid.
    """
    n_spokes = count_spokes(config, shape)
    first = config.offset if config.offset is not None else 180 * rng.random()
    return rasterise(_angles(config, n_spokes, first), shape)


@lru_cache(maxsize=64)
def count_spokes(config: SamplingConfig, shape: tuple[int, ...]) -> int:
    """Find the number of spokes whose measured acceleration is nearest to the one asked for.

    Args:
        config: the sampling; its strategy is `radial` or `golden_angle`.
        shape: (rows, cols).

    Returns:
        Number of spokes, at least 1.

    Raises:
        ValueError: "acceleration: ..." below what spokes can reach without the corners, or above
            that of a single spoke.
    """
    low, high = 1, 2 * max(shape)  # so many spokes leave only the corners unmeasured
    if config.acceleration < (least := spokes_acceleration(config, high, shape)):
        raise ValueError(
            f"acceleration: expected at least {least:.3f} for {config.strategy} on "
            f"{shape[0]} x {shape[1]}, since spokes leave the corners out, "
            f"got {config.acceleration:g}"
        )
    if config.acceleration > (most := spokes_acceleration(config, low, shape)):
        raise ValueError(
            f"acceleration: expected at most {most:.3f}, which is one spoke, "
            f"got {config.acceleration:g}"
        )
    while high - low > 1:
        middle = (low + high) // 2
        is_too_few = spokes_acceleration(config, middle, shape) > config.acceleration
        low, high = (middle, high) if is_too_few else (low, middle)
    return min(
        low, high, key=lambda n: abs(spokes_acceleration(config, n, shape) - config.acceleration)
    )


def spokes_acceleration(config: SamplingConfig, n_spokes: int, shape: tuple[int, ...]) -> float:
    """Measure the acceleration of that many spokes, from the angle 0 if none is set."""
    mask = rasterise(_angles(config, n_spokes, config.offset or 0.0), shape)
    return mask.size / int(mask.sum())


def rasterise(angles: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mark the grid points nearest to spokes through the centre (rows // 2, cols // 2).

    Spokes end on the ellipse that touches the edges: a circle in 1/m when pixels are square.

    Args:
        angles: (n_spokes,) [radians], 0 along the columns' axis.
        shape: (rows, cols).

    Returns:
        bool, (rows, cols).
    """
    rows, cols = shape
    radius = np.linspace(-1, 1, 2 * max(shape) + 1)  # steps of at most half a grid cell
    row = np.rint(np.outer(np.sin(angles) * (rows // 2), radius)).astype(np.intp) + rows // 2
    col = np.rint(np.outer(np.cos(angles) * (cols // 2), radius)).astype(np.intp) + cols // 2
    inside = (row < rows) & (col < cols)  # an even axis has no sample at +n // 2
    mask = np.zeros((rows, cols), dtype=bool)
    mask[row[inside], col[inside]] = True
    return mask


def _angles(config: SamplingConfig, n_spokes: int, first: float) -> NDArray[np.float64]:
    """Give the angles in radians of spokes that start at `first` degrees."""
    step = GOLDEN_ANGLE if config.strategy == "golden_angle" else 180 / n_spokes
    degrees = first + step * np.arange(n_spokes)
    return np.asarray(np.deg2rad(degrees % 180), dtype=np.float64)
