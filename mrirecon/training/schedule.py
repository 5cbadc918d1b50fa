"""Learning rate, sampling and random seed of a step, as functions of its number alone."""

import math

import numpy as np

from mrirecon.sampling import MixtureConfig, Undersampling, ease_sampling
from mrirecon.training.config import TrainingConfig

_DROP = 0.1  # Chatterjee et al. 2022, section 3.3: the rate falls to a tenth halfway


def learning_rate_factor(step: int, config: TrainingConfig) -> float:
    """Return what the learning rates are multiplied by.

    Args:
        step: steps done before this one, 0 to config.steps - 1.
        config: gives the schedule, the steps in all and the steps of the rise.

    Returns:
        A factor in (0, 1].
    """
    rise = min(1.0, (step + 1) / (config.warmup_steps + 1))
    done = step / config.steps
    if config.schedule == "halfway":
        return rise * (1.0 if done < 0.5 else _DROP)
    if config.schedule == "cosine":
        return rise * 0.5 * (1.0 + math.cos(math.pi * done))
    return rise


def sampling_at(
    step: int, sampling: Undersampling | MixtureConfig, config: TrainingConfig
) -> Undersampling | MixtureConfig:
    """Return how a step undersamples: easier than `sampling` early in a curriculum."""
    return ease_sampling(sampling, config.curriculum.ease_at(step / config.steps))


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """Return the seed of one step's random numbers on one of the processes that train together.

    Dropout is seeded at every step, so that a resumed run draws what an uninterrupted one draws
    and no generator state needs to be saved.
    """
    place = [seed, step] if rank == 0 else [seed, step, rank]
    return int(np.random.SeedSequence(place).generate_state(1, np.uint64)[0])
