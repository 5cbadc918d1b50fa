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


KEEPING = ["equispaced", "every_nth", "random", "variable_density", "gaussian"]


@pytest.mark.parametrize("strategy", KEEPING)
@pytest.mark.parametrize("n_lines", [128, 127])
def test_partial_fourier_leaves_the_first_lines_out(strategy: str, n_lines: int) -> None:
    n_missing = n_lines - round(0.625 * n_lines)
    for seed in range(5):
        mask = lines(n_lines, strategy=strategy, partial_fourier=0.625, seed=seed)
        assert not bool(mask[:n_missing].any())
        assert bool(mask[n_lines // 2 - 2 : n_lines // 2 + 3].all())
        if strategy != "every_nth":
            assert int(mask.sum()) == 32


@pytest.mark.parametrize("strategy", ["equispaced", "random", "gaussian"])
def test_partial_fourier_alone_measures_one_block(strategy: str) -> None:
    mask = lines(strategy=strategy, acceleration=4 / 3, partial_fourier=0.75)
    assert np.flatnonzero(mask.numpy()).tolist() == list(range(64, 256))
    text = r"^acceleration: expected at least 1\.333, since partial_fourier leaves 64 lines out"
    with pytest.raises(ValueError, match=text):
        lines(strategy=strategy, acceleration=1, partial_fourier=0.75)


@pytest.mark.parametrize("strategy", KEEPING)
@pytest.mark.parametrize(("n_lines", "most"), [(64, 17), (63, 15)])
def test_calibration_beyond_what_partial_fourier_keeps_is_refused(
    strategy: str, n_lines: int, most: int
) -> None:
    options = {"strategy": strategy, "acceleration": 2, "partial_fourier": 0.625}
    text = rf"^calibration: expected at most {most}, what partial_fourier keeps .* got {most + 1}$"
    with pytest.raises(ValueError, match=text):
        lines(n_lines, calibration=most + 1, **options)
    mask = lines(n_lines, calibration=most, **options)
    assert bool(mask[n_lines // 2 - most // 2 : n_lines // 2 + most // 2 + 1].all())
