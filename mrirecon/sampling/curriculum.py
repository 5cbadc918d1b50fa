"""From easy to hard: how much is sampled in the first steps of a training.

Source: Bengio et al. 2009 (10.1145/1553374.1553380).
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from mrirecon.sampling.checks import expect
from mrirecon.sampling.config import RADIAL_STRATEGIES, WHOLE_SPACINGS, SamplingConfig
from mrirecon.sampling.mixture import MixtureConfig, Undersampling
from mrirecon.sampling.trajectory_config import TrajectoryConfig

_N_LEVELS = 8  # of ease; whatever is kept for each sampling, such as densities, stays small
_CORNERS_OUT = 1.5  # least acceleration; a disc leaves out 1 - pi / 4 of a square, and some gaps


@dataclass(frozen=True)
class CurriculumConfig:
    """From easy to hard: more samples in the first steps of a training than its sampling asks for.

    Attributes:
        ease: how many times fewer the acceleration is (on the grid), or how many times more the
            readouts are (along a trajectory), in the first step; 1 has no curriculum.
        share: of the steps, above 0 to 1, over which this falls to 1, evenly in its logarithm and
            in eight stages.
    """

    ease: float = 1.0
    share: float = 0.5

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse numbers that make no curriculum.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        expect("ease", 1 <= self.ease < math.inf, "at least 1", self.ease)
        expect("share", 0 < self.share <= 1, "above 0, at most 1", self.share)

    def ease_at(self, done: float) -> float:
        """Give what is left of the ease after a share `done` of the steps, at least 1."""
        stage = min(_N_LEVELS, math.floor(_N_LEVELS * done / self.share))
        return float(self.ease ** (1 - stage / _N_LEVELS))


def ease_sampling(
    sampling: Undersampling | MixtureConfig, ease: float
) -> Undersampling | MixtureConfig:
    """Give a sampling so many times more samples, or all there are.

    Args:
        sampling: on the grid, off it, or a mixture.
        ease: at least 1. The acceleration is divided by it, and stays whole where the strategy
            needs that; of a trajectory the number of readouts is multiplied.
    """
    if ease == 1:
        return sampling
    if isinstance(sampling, MixtureConfig):
        return replace(
            sampling,
            sampling=tuple(_ease_mask(pattern, ease) for pattern in sampling.sampling),
            trajectory=tuple(_ease_trajectory(pattern, ease) for pattern in sampling.trajectory),
        )
    if isinstance(sampling, TrajectoryConfig):
        return _ease_trajectory(sampling, ease)
    return _ease_mask(sampling, ease)


def _ease_mask(sampling: SamplingConfig, ease: float) -> SamplingConfig:
    cuts_corners = sampling.strategy in ("poisson_disc", *RADIAL_STRATEGIES)
    least = _CORNERS_OUT if cuts_corners else 1 / sampling.partial_fourier
    least = min(least, sampling.acceleration)
    eased = max(least, sampling.acceleration / ease)
    if sampling.strategy in WHOLE_SPACINGS:
        eased = float(max(1, round(eased)))
    return replace(sampling, acceleration=eased)


def _ease_trajectory(trajectory: TrajectoryConfig, ease: float) -> TrajectoryConfig:
    return replace(trajectory, n_readouts=round(trajectory.n_readouts * ease))
