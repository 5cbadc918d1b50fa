"""Points of a plane that keep their distance: a variable-density Poisson disc inside an ellipse.

Sources: Cook 1986, DOI 10.1145/7529.8927 (Poisson disc by throwing darts); Lustig and Pauly 2010,
DOI 10.1002/mrm.22428 (variable-density Poisson discs for MRI).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mrirecon.sampling.budget import (
    calibration_extent,
    central_block,
    central_disc,
    check_budget,
    check_room,
    nearest_count,
)
from mrirecon.sampling.config import SamplingConfig
from mrirecon.sampling.density import SMALLEST_PROBABILITY, density

PACKING = 0.7  # points times their squared distance over the area, when no more darts fit (0.696)
_SHRINK = 0.98  # of all distances, after a throw that left too few points
_N_HALVINGS = (
    5  # of a factor 1.8 between distances: to 2 %, as much as one throw differs from another
)


@dataclass(frozen=True)
class DiscPlan:
    """What every throw of one sampling shares.

    Attributes:
        shape: (rows, cols).
        cells: (row, col) of each cell inside the ellipse, those of the calibration region first.
        n_certain: cells of the calibration region.
        distances: float64, of each cell, smallest distance to another point, relative to that at
            the centre.
        count: points in all.
    """

    shape: tuple[int, int]
    cells: tuple[NDArray[np.intp], NDArray[np.intp]]
    n_certain: int
    distances: NDArray[np.float64]
    count: int

    def throw(self, rng: np.random.Generator, scale: float) -> NDArray[np.bool_] | None:
        """Throw darts at every cell in random order; those too close to an earlier one are lost.

        Args:
            rng: orders the cells.
            scale: smallest distance at the centre, [samples].

        Returns:
            bool, (rows, cols), with `count` entries True; None where fewer fit.
        """
        radii = np.clip(scale * self.distances, 1, max(self.shape))
        reach = math.ceil(radii.max()) + 1  # padding, so that no disc leaves the plane
        width = self.shape[1] + 2 * reach
        steps, squares = _disc(reach, width)
        places = (self.cells[0] + reach) * width + self.cells[1] + reach
        others = self.n_certain + rng.permutation(len(places) - self.n_certain)
        order = np.concatenate([np.arange(self.n_certain), others])
        wanted = _to_grid(radii[order] ** 2, np.unique(squares), rng)
        n_blocked = np.searchsorted(squares, wanted)  # cells strictly closer
        blocked = np.zeros((self.shape[0] + 2 * reach) * width, dtype=bool)
        is_blocked = blocked.data  # whose elements are read faster than the array's
        drawn = []
        throws = zip(order.tolist(), places[order].tolist(), n_blocked.tolist(), strict=True)
        for number, place, n in throws:
            if number < self.n_certain or not is_blocked[place]:
                drawn.append(number)
                if n > 1:  # more than its own cell, which no other dart is thrown at
                    blocked[place + steps[:n]] = True
                if len(drawn) == self.count:
                    mask = np.zeros(self.shape, dtype=bool)
                    mask[self.cells[0][drawn], self.cells[1][drawn]] = True
                    return mask
        return None


@lru_cache(maxsize=64)
def plan_discs(config: SamplingConfig, shape: tuple[int, ...]) -> tuple[DiscPlan, float]:
    """Lay out the plane, and find the largest distances at which enough darts fit.

    Args:
        config: the sampling; its strategy is `poisson_disc`.
        shape: (rows, cols).

    Returns:
        The plan, and the scale of its distances at which a throw gives all points.

    Raises:
        ValueError: "calibration: ..." or "acceleration: ..." if there is no room.
    """
    rows, cols = shape
    count = nearest_count(rows * cols, config.acceleration)
    extent = calibration_extent(config, shape, count)
    region = central_disc if config.calibration_shape == "disc" else central_block
    certain = region(shape, extent)
    check_budget(int(certain.sum()), count, config)
    inside = ellipse(shape) | certain
    why = "poisson_disc leaves the corners out"
    check_room(int(inside.sum()), rows * cols, count, why, config.acceleration)
    rest = np.nonzero(inside & ~certain)
    row, col = (np.concatenate(pair) for pair in zip(np.nonzero(certain), rest, strict=True))
    relative = np.maximum(density(config, shape)[row, col], SMALLEST_PROBABILITY)
    distances = 1 / np.sqrt(relative)
    plan = DiscPlan((rows, cols), (row, col), int(certain.sum()), distances, count)
    return plan, _largest_scale(plan)


def draw_discs(
    config: SamplingConfig, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw points that lie at least the density's distance apart, exactly as many as asked for.

    The distance at a place is scale / sqrt(density), rounded at random to the distance between
    cells (1, sqrt 2, 2, sqrt 5, ...) just below or above it. Two points lie at least the smaller of
    their two distances apart, unless both belong to the calibration region. The scale is the
    largest at which this many fit, to some percent.

    Args:
        config: the sampling.
        shape: (rows, cols).
        rng: source of randomness.

    Returns:
        bool, (rows, cols).

    Raises:
        ValueError: as `plan_discs`.
    """
    plan, scale = plan_discs(config, shape)
    shrink = _SHRINK
    while (mask := plan.throw(rng, scale)) is None:
        scale *= shrink  # ends where distances are 1 or less: then every cell fits
        shrink *= shrink
    return mask


def ellipse(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mark the cells inside the ellipse around n // 2 that touches the edges of the plane."""
    axes = [(np.arange(n) - n // 2) / max(n / 2, 0.5) for n in shape]
    return np.asarray(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")) <= 1)


def _disc(reach: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List steps in a flat plane of this width, nearest first, with their squared lengths."""
    step = np.arange(-reach, reach + 1)
    squares = (step[:, None] ** 2 + step**2).ravel()
    order = np.argsort(squares, kind="stable")
    return (step[:, None] * width + step).ravel()[order], squares[order]


def _to_grid(
    wanted: NDArray[np.float64], squares: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Round squared distances to those of the grid, up or down at random, right on average.

    Always up, all distances from 1 to sqrt 2 would be one, and the density would fall in steps.
    """
    above = np.searchsorted(squares, wanted, side="right")
    low, high = squares[above - 1], squares[above]
    return np.where(rng.random(wanted.size) * (high - low) < wanted - low, high, low)


def _largest_scale(plan: DiscPlan) -> float:
    """Halve an interval around the scale that the usual packing suggests."""
    rng = np.random.default_rng(0)  # of the plan alone, so that a mask depends on its own seed
    low, high = 1e-3, float(max(plan.shape))
    for _ in range(40):  # of a formula: to any precision
        middle = math.sqrt(low * high)
        points = np.minimum(1, PACKING / (middle * plan.distances) ** 2).sum()
        low, high = (middle, high) if points > plan.count else (low, middle)
    low, high = low * 0.7, low * 1.26
    for _ in range(_N_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if plan.throw(rng, middle) is None else (middle, high)
    return low
