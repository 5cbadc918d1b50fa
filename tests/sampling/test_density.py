import math

import numpy as np
import pytest

from mrirecon.sampling import SamplingConfig, make_mask
from mrirecon.sampling.density import ExactLottery, density, inclusion_probabilities, plan_lottery


@pytest.mark.parametrize("percent", [5, 10, 14.4, 29.5])
@pytest.mark.parametrize("strategy", ["variable_density_2d", "gaussian_2d"])
def test_published_plane_masks_can_be_made(percent: float, strategy: str) -> None:
    """ReconResNet's 2-D variable density masks of 256 x 256."""
    config = SamplingConfig(strategy=strategy, acceleration=100 / percent)  # type: ignore[arg-type]
    mask = make_mask(config, (256, 256), seed=1)
    assert 100 * mask.double().mean().item() == pytest.approx(percent, abs=100 / 256**2)
    assert bool(mask[123:133, 123:133].all())


def test_probabilities_sum_to_the_count_and_stay_below_one() -> None:
    relative = np.exp(-np.linspace(0, 8, 100))
    certain = np.zeros(100, dtype=bool)
    certain[95:] = True
    chances = inclusion_probabilities(relative, certain, 30)
    assert chances.sum() == pytest.approx(30, abs=1e-12)
    assert chances.max() == 1
    assert bool((chances[95:] == 1).all())
    free = (chances < 1) & ~certain
    np.testing.assert_allclose(np.diff(chances[free] / relative[free]), 0, atol=1e-12)


@pytest.mark.parametrize("count", [0, 1, 7, 8])
def test_probabilities_of_nothing_and_of_everything(count: int) -> None:
    certain = np.arange(8) < count
    chances = inclusion_probabilities(np.ones(8), certain, count)
    np.testing.assert_allclose(chances, certain, atol=1e-12)


def test_lines_are_drawn_as_often_as_their_probability_says() -> None:
    config = SamplingConfig(strategy="variable_density", acceleration=3, calibration=2)
    lottery = plan_lottery(config, (24,))
    chances = 1 / (1 + lottery.inverse_odds.astype(np.float64))
    rng = np.random.default_rng(0)
    n_draws = 4000
    often = np.mean([lottery.draw(rng) for _ in range(n_draws)], axis=0)
    # Five standard deviations of a mean, and 0.01 since Pareto sampling is not quite exact.
    tolerance = 5 * np.sqrt(chances * (1 - chances) / n_draws) + 0.01
    assert bool((np.abs(often - chances) <= tolerance).all())


def test_count_is_exact_even_when_keys_tie() -> None:
    class Constant:
        def random(self, size: int, dtype: type) -> np.ndarray:
            return np.full(size, 0.25, dtype=dtype)

    lottery = ExactLottery(np.ones(10, dtype=np.float32), 4, math.inf)
    drawn = lottery.draw(Constant())  # type: ignore[arg-type]
    assert np.flatnonzero(drawn).tolist() == [0, 1, 2, 3]


def test_the_bound_on_keys_changes_no_draw() -> None:
    config = SamplingConfig(strategy="variable_density_2d", acceleration=5)
    lottery = plan_lottery(config, (40, 50))
    assert lottery.bound < 2  # so that it does leave keys out
    unbounded = ExactLottery(lottery.inverse_odds, lottery.count, math.inf)
    too_tight = ExactLottery(lottery.inverse_odds, lottery.count, 0.1)
    for seed in range(20):
        expected = unbounded.draw(np.random.default_rng(seed))
        assert expected.sum() == 400
        np.testing.assert_array_equal(lottery.draw(np.random.default_rng(seed)), expected)
        np.testing.assert_array_equal(too_tight.draw(np.random.default_rng(seed)), expected)


def test_densities_follow_their_formula() -> None:
    line = density(SamplingConfig(power=2.0), (8,))
    np.testing.assert_allclose(line, (1 - np.abs(np.arange(-4, 4)) / 5) ** 2)
    plane = density(SamplingConfig(strategy="gaussian_2d", width=0.5), (8, 12))
    assert plane[4, 6] == 1
    r_squared = ((1 / 5) ** 2 + (3 / 7) ** 2) / 2
    assert plane[5, 9] == pytest.approx(math.exp(-r_squared / (2 * 0.5**2)))
    for strategy in ("random", "random_2d"):
        flat = density(SamplingConfig(strategy=strategy), (8,))  # type: ignore[arg-type]
        np.testing.assert_array_equal(flat, np.ones(8))


def test_a_higher_power_and_a_smaller_width_crowd_the_centre() -> None:
    def central(strategy: str = "variable_density_2d", **options: object) -> int:
        config = SamplingConfig(strategy=strategy, **options)  # type: ignore[arg-type]
        return int(make_mask(config, (64, 64), seed=1)[16:48, 16:48].sum())

    assert central(power=4.0) > central(power=2.0) > central(power=0.0)
    narrow, wide = (central("gaussian_2d", width=width) for width in (0.1, 1.0))
    assert narrow > wide


def test_a_density_that_underflows_still_fills_the_budget() -> None:
    config = SamplingConfig(strategy="gaussian_2d", width=1e-3)
    assert int(make_mask(config, (32, 32), seed=1).sum()) == 256


def test_calibration_may_be_a_disc() -> None:
    config = SamplingConfig(
        strategy="variable_density_2d", calibration=9, calibration_shape="disc", acceleration=1000
    )
    rows, cols = np.ogrid[-32:32, -40:40]
    disc = rows**2 + cols**2 < 4.5**2
    config_just_enough = SamplingConfig(
        strategy="variable_density_2d",
        calibration=9,
        calibration_shape="disc",
        acceleration=64 * 80 / int(disc.sum()),
    )
    mask = make_mask(config_just_enough, (64, 80), seed=1)
    np.testing.assert_array_equal(mask.numpy(), disc)
    with pytest.raises(ValueError, match=r"^calibration: expected at most 5 samples, all that"):
        make_mask(config, (64, 80), seed=1)
