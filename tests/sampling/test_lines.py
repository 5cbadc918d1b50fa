import numpy as np
import pytest
import torch

from mrirecon.sampling import SamplingConfig, make_mask


def lines(n_lines: int = 256, *, seed: int = 1, **options: object) -> torch.Tensor:
    return make_mask(SamplingConfig(**options), (8, n_lines), seed=seed)  # type: ignore[arg-type]


def test_every_fourth_line_with_ten_central_ones_is_the_published_pattern() -> None:
    """ReconResNet's 1-D uniform mask: 27.7 % of 256 lines."""
    mask = lines(strategy="every_nth", acceleration=4, calibration=10, offset=0)
    assert bool(mask[::4].all())
    assert bool(mask[123:133].all())
    assert int(mask.sum()) == 71
    assert round(100 * mask.double().mean().item(), 1) == 27.7


@pytest.mark.parametrize("percent", [4.3, 9.8, 14.8, 27.3])
@pytest.mark.parametrize("calibration", [8, 10])
def test_published_variable_density_masks_can_be_made(percent: float, calibration: int) -> None:
    """ReconResNet's 1-D variable density masks: 8 to 10 central lines of 256."""
    mask = lines(strategy="variable_density", acceleration=100 / percent, calibration=calibration)
    assert round(100 * mask.double().mean().item(), 1) == percent
    start = 128 - calibration // 2
    assert bool(mask[start : start + calibration].all())


@pytest.mark.parametrize("strategy", ["equispaced", "every_nth", "random", "variable_density"])
@pytest.mark.parametrize(("n_lines", "calibration"), [(64, 8), (64, 7), (63, 8), (63, 7)])
def test_calibration_lines_are_the_central_ones(
    strategy: str, n_lines: int, calibration: int
) -> None:
    start = n_lines // 2 - calibration // 2
    for seed in range(5):
        mask = lines(n_lines, strategy=strategy, calibration=calibration, seed=seed)
        assert bool(mask[start : start + calibration].all())


@pytest.mark.parametrize("asked", [2.0, 3.0, 3.7, 8.0])
@pytest.mark.parametrize("n_lines", [128, 127])
def test_equispaced_gaps_differ_by_at_most_one(asked: float, n_lines: int) -> None:
    for seed in range(10):
        mask = lines(
            n_lines, strategy="equispaced", acceleration=asked, calibration=0, seed=seed
        ).numpy()
        gaps = np.diff(np.flatnonzero(mask))
        assert gaps.max() - gaps.min() <= 1


def test_default_calibration_takes_at_most_half_of_the_lines() -> None:
    for asked, central in [(4, 10), (64, 2)]:
        mask = lines(strategy="equispaced", acceleration=asked)
        start = 128 - central // 2
        assert bool(mask[start : start + central].all())
        assert int(mask.sum()) == 256 // asked


def test_equispaced_offset_moves_the_first_line() -> None:
    for offset in range(4):
        mask = lines(strategy="equispaced", acceleration=4, calibration=0, offset=float(offset))
        assert np.flatnonzero(mask.numpy()).tolist() == list(range(offset, 256, 4))


def test_every_offset_is_drawn() -> None:
    firsts = {
        int(np.flatnonzero(lines(strategy=name, calibration=0, seed=seed).numpy())[0])
        for name in ("equispaced", "every_nth")
        for seed in range(100)
    }
    assert firsts == {0, 1, 2, 3}


@pytest.mark.parametrize("strategy", ["equispaced", "every_nth"])
def test_an_offset_beyond_the_spacing_is_refused(strategy: str) -> None:
    with pytest.raises(ValueError, match=r"^offset: expected less than the spacing 4, got 4\.0$"):
        lines(strategy=strategy, acceleration=4, calibration=0, offset=4.0)


def test_a_spacing_beyond_the_axis_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^acceleration: expected at most 8, the axis, got 9$"):
        lines(8, strategy="every_nth", acceleration=9)


@pytest.mark.parametrize("strategy", ["equispaced", "every_nth", "random", "variable_density"])
def test_calibration_longer_than_the_axis_is_refused(strategy: str) -> None:
    with pytest.raises(ValueError, match=r"^calibration: expected at most 16, the size of"):
        lines(16, strategy=strategy, calibration=17)


@pytest.mark.parametrize("strategy", ["equispaced", "random", "variable_density"])
def test_calibration_beyond_the_acceleration_is_refused(strategy: str) -> None:
    text = r"^calibration: expected at most 4 lines, all that acceleration 4 allows, got 5$"
    with pytest.raises(ValueError, match=text):
        lines(16, strategy=strategy, acceleration=4, calibration=5)
    assert int(lines(16, strategy=strategy, acceleration=4, calibration=4).sum()) == 4
