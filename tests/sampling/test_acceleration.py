"""The acceleration asked for is the one measured, or an error says what is possible."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrirecon.sampling import STRATEGIES, SamplingConfig, acceleration, make_mask

SPOKES = ("radial", "golden_angle")
SPACINGS = ("every_nth", "fastmri_equispaced", "fastmri_magic")
COUNTED = [
    name
    for name in STRATEGIES
    if name not in (*SPOKES, *SPACINGS) and not name.startswith("fastmri_")
]


@pytest.mark.parametrize("strategy", COUNTED)
@settings(derandomize=True, deadline=None, max_examples=20)
@given(
    shape=st.tuples(st.integers(24, 56), st.integers(24, 56)),
    asked=st.floats(1.0, 24.0),
    seed=st.integers(0, 2**31),
)
def test_lines_and_points_are_the_nearest_number(
    strategy: str, shape: tuple[int, int], asked: float, seed: int
) -> None:
    config = SamplingConfig(strategy=strategy, acceleration=asked)  # type: ignore[arg-type]
    try:
        mask = make_mask(config, shape, seed=seed)
    except ValueError as error:
        assert strategy == "poisson_disc"
        least = float(str(error).split("expected at least ")[1].split(",")[0])
        assert asked < least + 1e-3
        assert least == pytest.approx(4 / math.pi, rel=0.05)
        return
    got, total, count = acceleration(mask), mask.numel(), int(mask.sum())
    neighbours = [abs(total / n - asked) for n in (count - 1, count + 1) if 0 < n <= total]
    assert abs(got - asked) <= min(neighbours)
    if count >= 50:  # neighbours are 2 % apart
        assert got == pytest.approx(asked, rel=0.01)


@pytest.mark.parametrize("strategy", ["equispaced", "variable_density", "gaussian"])
@settings(derandomize=True, deadline=None, max_examples=30)
@given(n_lines=st.integers(100, 512), count=st.integers(1, 100), fraction=st.floats(0.51, 1.0))
def test_an_acceleration_that_the_grid_has_is_met(
    strategy: str, n_lines: int, count: int, fraction: float
) -> None:
    asked = n_lines / count
    config = SamplingConfig(strategy, asked, partial_fourier=fraction)  # type: ignore[arg-type]
    if count > round(fraction * n_lines):
        with pytest.raises(ValueError, match=r"^acceleration: expected at least"):
            make_mask(config, (8, n_lines), seed=1)
    else:
        assert acceleration(make_mask(config, (8, n_lines), seed=1)) == pytest.approx(asked)


@pytest.mark.parametrize("strategy", SPOKES)
@settings(derandomize=True, deadline=None, max_examples=10)
@given(shape=st.tuples(st.integers(48, 96), st.integers(48, 96)), asked=st.floats(2.0, 8.0))
def test_spokes_are_off_by_less_than_one(
    strategy: str, shape: tuple[int, int], asked: float
) -> None:
    config = SamplingConfig(strategy=strategy, acceleration=asked, offset=0)  # type: ignore[arg-type]
    mask = make_mask(config, shape, seed=0)
    assert abs(mask.numel() / asked - int(mask.sum())) < max(shape)


@pytest.mark.parametrize("strategy", SPACINGS)
def test_a_spacing_is_met_without_central_lines(strategy: str) -> None:
    for spacing in (2, 4, 8):
        config = SamplingConfig(strategy, spacing, calibration=0, per="run")  # type: ignore[arg-type]
        got = acceleration(make_mask(config, (8, 256), seed=1))
        assert got == pytest.approx(spacing, rel=2 * spacing / 256)  # magic counts two sides


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_acceleration_beyond_a_single_line_or_point_is_refused(strategy: str) -> None:
    asked = 9 if strategy in COUNTED and SamplingConfig(strategy).is_line_mask else 65
    with pytest.raises(ValueError, match=r"^acceleration: expected at most"):
        make_mask(SamplingConfig(strategy, asked, calibration=0), (8, 8), seed=1)
