"""The learning rate's factor and the seed of a step."""

import pytest

from mrirecon.sampling import CurriculumConfig, SamplingConfig
from mrirecon.training import TrainingConfig
from mrirecon.training.schedule import learning_rate_factor, sampling_at, step_seed


def test_rate_falls_to_a_tenth_halfway() -> None:
    config = TrainingConfig(steps=10)
    factors = [learning_rate_factor(step, config) for step in range(10)]
    assert factors == pytest.approx([1.0] * 5 + [0.1] * 5)


def test_cosine_starts_at_one_passes_half_and_ends_near_zero() -> None:
    config = TrainingConfig(steps=100, schedule="cosine")
    factors = [learning_rate_factor(step, config) for step in (0, 50, 99)]
    assert factors == pytest.approx([1.0, 0.5, 0.0], abs=3e-4)


def test_warm_up_rises_linearly_and_then_leaves_the_schedule_alone() -> None:
    config = TrainingConfig(steps=100, schedule="constant", warmup_steps=4)
    factors = [learning_rate_factor(step, config) for step in range(6)]
    assert factors == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


def test_every_step_and_seed_has_its_own_random_numbers() -> None:
    seeds = {step_seed(seed, step) for seed in range(10) for step in range(100)}
    assert len(seeds) == 1000
    assert step_seed(3, 5) == step_seed(3, 5)


def test_a_curriculum_ends_at_the_sampling_that_was_asked_for() -> None:
    config = TrainingConfig(steps=16, curriculum=CurriculumConfig(ease=4, share=0.5))
    sampling = SamplingConfig(acceleration=8)
    steps = [sampling_at(step, sampling, config) for step in range(16)]
    accelerations = [s.acceleration for s in steps if isinstance(s, SamplingConfig)]
    assert accelerations[:2] == pytest.approx([2.0, 2 * 4 ** (1 / 8)])
    assert accelerations[8:] == [8.0] * 8
