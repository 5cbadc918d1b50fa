import numpy as np
import pytest

from mrirecon.sampling import SamplingConfig, make_mask
from mrirecon.sampling.radial import GOLDEN_ANGLE, count_spokes, rasterise


def test_spokes_along_the_axes_fill_the_central_row_and_column() -> None:
    for shape in [(8, 8), (7, 9), (6, 11)]:
        rows, cols = shape
        expected = np.zeros(shape, dtype=bool)
        expected[rows // 2, :] = True
        np.testing.assert_array_equal(rasterise(np.array([0.0]), shape), expected)
        expected[:, cols // 2] = True
        np.testing.assert_array_equal(rasterise(np.array([0.0, np.pi / 2]), shape), expected)


def test_a_diagonal_spoke_has_no_holes() -> None:
    mask = rasterise(np.array([np.pi / 4]), (65, 65))
    assert bool((mask == mask.T).all())
    reach = round(32 / np.sqrt(2))
    np.testing.assert_array_equal(np.flatnonzero(np.diag(mask)), 32 + np.arange(-reach, reach + 1))


@pytest.mark.parametrize("shape", [(64, 64), (63, 63), (40, 96)])
def test_spokes_stay_in_the_ellipse_that_touches_the_edges(shape: tuple[int, int]) -> None:
    mask = rasterise(np.linspace(0, np.pi, 500), shape)
    row, col = (np.arange(n) - n // 2 for n in shape)
    half_row, half_col = shape[0] // 2, shape[1] // 2
    # A marked point lies within half a cell of a spoke's point, on each axis.
    nearest = np.hypot(
        np.maximum(np.abs(row) - 0.5, 0)[:, None] / half_row,
        np.maximum(np.abs(col) - 0.5, 0)[None, :] / half_col,
    )
    assert float(nearest[mask].max()) <= 1 + 1e-9
    inside = np.hypot((row / half_row)[:, None], (col / half_col)[None, :]) < 0.9
    assert bool(mask[inside].all())


def test_golden_angle_is_that_of_the_golden_ratio() -> None:
    assert pytest.approx(180 / ((1 + 5**0.5) / 2), abs=1e-9) == GOLDEN_ANGLE


@pytest.mark.parametrize("strategy", ["radial", "golden_angle"])
@pytest.mark.parametrize("asked", [2.0, 8.5, 17.1])
def test_number_of_spokes_is_the_best_of_its_neighbours(strategy: str, asked: float) -> None:
    config = SamplingConfig(strategy=strategy, acceleration=asked, offset=0.0)  # type: ignore[arg-type]
    n_spokes = count_spokes(config, (96, 96))
    step = GOLDEN_ANGLE if strategy == "golden_angle" else None

    def error(n: int) -> float:
        degrees = np.arange(n) * (step or 180 / n)
        return abs(1 / rasterise(np.deg2rad(degrees % 180), (96, 96)).mean() - asked)

    assert error(n_spokes) <= min(error(n_spokes - 1), error(n_spokes + 1))


def test_golden_spokes_of_a_lower_acceleration_contain_those_of_a_higher_one() -> None:
    fast, slow = (
        make_mask(
            SamplingConfig(strategy="golden_angle", acceleration=factor, offset=0.0),
            (64, 64),
            seed=1,
        )
        for factor in (8.0, 4.0)
    )
    assert bool(slow[fast].all())
    assert int(slow.sum()) > int(fast.sum())


def test_offset_turns_the_first_spoke() -> None:
    config = SamplingConfig(strategy="radial", acceleration=9, offset=90.0)
    assert bool(make_mask(config, (9, 9), seed=1)[:, 4].all())
