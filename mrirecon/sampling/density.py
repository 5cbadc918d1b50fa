"""Random sampling of a given density with an exact number of samples.

Sources: variable density, Lustig et al. 2007, doi:10.1002/mrm.21391; Pareto sampling (Rosén 1997),
Bondesson et al. 2006, doi:10.1111/j.1467-9469.2006.00497.x.
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
    n_missing_lines,
    nearest_count,
)
from mrirecon.sampling.config import SamplingConfig

# A density may underflow far from the centre; this keeps inverse odds finite in float32.
SMALLEST_PROBABILITY = 1e-30


@dataclass(frozen=True)
class ExactLottery:
    """Draw exactly `count` places, each with a prescribed probability of inclusion.

    Attributes:
        inverse_odds: (1 - p) / p of each place, float32, any shape; 0 where certain.
        count: places to draw; the sum of all p.
        bound: keys above it are all but never drawn; it only saves time.
    """

    inverse_odds: NDArray[np.float32]
    count: int
    bound: float

    def draw(self, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Draw once: each place gets the key odds(u) / odds(p), the `count` smallest win.

        Args:
            rng: source of the uniform numbers u, one for each place.

        Returns:
            bool, the shape of `inverse_odds`, with `count` entries True.
        """
        keys = rng.random(self.inverse_odds.size, dtype=np.float32)
        keys /= 1 - keys
        keys *= self.inverse_odds.ravel()
        candidates = np.flatnonzero(keys <= self.bound)
        if candidates.size < self.count:
            candidates = np.arange(keys.size)
        # Ties at the last winning key go to the lower index, so that every machine agrees.
        keys = keys[candidates]
        last = np.partition(keys, self.count - 1)[self.count - 1]
        winners = np.flatnonzero(keys < last)
        ties = np.flatnonzero(keys == last)[: self.count - winners.size]
        drawn = np.zeros(self.inverse_odds.shape, dtype=bool)
        drawn.flat[candidates[winners]] = True
        drawn.flat[candidates[ties]] = True
        return drawn


@lru_cache(maxsize=64)
def plan_lottery(config: SamplingConfig, shape: tuple[int, ...]) -> ExactLottery:
    """Scale a density to the acceleration, with the calibration region certain.

    Args:
        config: the sampling; its strategy is random, Gaussian or a variable density.
        shape: (n_lines,) or (rows, cols).

    Returns:
        The lottery that `draw_by_density` plays for every mask.

    Raises:
        ValueError: "calibration: ..." if longer than the axis or above the acceleration's budget,
            "acceleration: ..." if partial Fourier leaves too few lines for it.
    """
    total = math.prod(shape)
    count = nearest_count(total, config.acceleration)
    n_missing = n_missing_lines(config, shape[0])
    why = f"partial_fourier leaves {n_missing} lines out"
    check_room(total - n_missing, total, count, why, config.acceleration)
    extent = calibration_extent(config, shape, count)
    region = central_disc if config.calibration_shape == "disc" else central_block
    certain = region(shape, extent)
    check_budget(int(certain.sum()), count, config)
    relative = density(config, shape)
    relative[:n_missing] = 0
    chances = inclusion_probabilities(relative, certain, count)
    deviation = math.sqrt(float(np.sum(chances * (1 - chances))))  # of the keys below 1, in number
    inverse_odds = ((1 - chances) / chances).astype(np.float32)
    inverse_odds.flags.writeable = False  # shared by every caller of the cache
    bound = 1 + 8 / deviation if deviation > 0 else math.inf
    return ExactLottery(inverse_odds, count, bound)


def draw_by_density(
    config: SamplingConfig, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw lines or points by density; for `random` and `random_2d` it is constant.

    Args:
        config: the sampling.
        shape: (n_lines,) or (rows, cols).
        rng: source of randomness.

    Returns:
        bool, `shape`, True where measured.
    """
    return plan_lottery(config, shape).draw(rng)


def density(config: SamplingConfig, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Evaluate the relative sampling density.

    r is the distance from the centre n // 2, each axis in units of its own half length, divided
    by a little more than the largest distance, so that no place has density 0.

    Args:
        config: the sampling, of which strategy, power and width are read.
        shape: (n_lines,) or (rows, cols).

    Returns:
        float64, `shape`, 1 at the centre; everywhere for `random` and `random_2d`.
    """
    if config.strategy in ("random", "random_2d"):
        return np.ones(shape)
    axes = [(np.arange(n) - n // 2) / (n // 2 + 1) for n in shape]
    squares = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij"))
    r = np.sqrt(squares / len(shape))
    if config.strategy in ("gaussian", "gaussian_2d"):
        return np.asarray(np.exp(-(r**2) / (2 * config.width**2)))
    return np.asarray((1 - r) ** config.power)


def inclusion_probabilities(
    density: NDArray[np.float64], certain: NDArray[np.bool_], count: int
) -> NDArray[np.float64]:
    """Scale a density so that its sum is `count` and no entry is above 1.

    Where the scaled density would pass 1 the sample becomes certain, and the others share what
    is left; this repeats until all are below 1.

    Args:
        density: relative density, at least 0.
        certain: bool, same shape; places always measured, at most `count`.
        count: samples in all.

    Returns:
        float64, the shape of `density`, in (0, 1], sum `count`.
    """
    density = np.maximum(density, SMALLEST_PROBABILITY)
    certain = certain.copy()
    while True:
        scale = (count - certain.sum()) / max(density[~certain].sum(), SMALLEST_PROBABILITY)
        crossing = ~certain & (scale * density >= 1)
        if not crossing.any():
            return np.where(certain, 1.0, np.maximum(scale * density, SMALLEST_PROBABILITY))
        certain |= crossing
