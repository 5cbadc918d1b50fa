import math

import pytest
import torch
from torch import Tensor

from mrirecon.classical import Descent, proximal_gradient
from mrirecon.classical.compressed_sensing import soft_threshold

WEIGHTS = torch.linspace(0.05, 1.0, 30, dtype=torch.float64).view(1, 1, 5, 6)


def descend(b: Tensor, threshold: float, *, tolerance: float = 1e-12, n: int = 2000) -> Descent:
    """Minimise the sum of weights |x|^2 / 2 - Re <b, x> + threshold |x|, pixel by pixel."""
    step = torch.ones(len(b), 1, 1, 1, dtype=torch.float64)
    return proximal_gradient(
        lambda x: WEIGHTS * x,
        b,
        lambda v: soft_threshold(v, step * threshold),
        step=step,
        n_iterations=n,
        tolerance=tolerance,
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
def test_finds_the_known_minimum(dtype: torch.dtype) -> None:
    b = torch.randn(3, 1, 5, 6, dtype=dtype)
    expected = soft_threshold(b, torch.tensor(0.4, dtype=torch.float64)) / WEIGHTS
    torch.testing.assert_close(descend(b, 0.4).x, expected, rtol=0, atol=1e-9)


def test_momentum_takes_fewer_steps_than_plain_descent() -> None:
    """The condition is 20: plain steps shrink the error by 0.95 each, 180 for 1e-4."""
    b = torch.randn(1, 1, 5, 6, dtype=torch.float64)
    assert len(descend(b, 0.0, tolerance=1e-6).changes) < 90


def test_each_element_has_its_own_steps_and_is_then_left_alone() -> None:
    """The first has large weights alone, and is done long before the second."""
    b = torch.randn(2, 1, 5, 6, dtype=torch.float64)
    b[0] *= WEIGHTS[0] > 0.7
    both = descend(b, 0.1, tolerance=1e-3)
    for i in range(2):
        alone = descend(b[i : i + 1], 0.1, tolerance=1e-3)
        assert torch.equal(both.x[i : i + 1], alone.x)
        assert torch.equal(both.changes[: len(alone.changes), i], alone.changes[:, 0])
    assert both.changes[-1, 0] == 0
    assert both.changes[-2, 1] > 1e-3


def test_a_nan_stays_in_its_element() -> None:
    b = torch.ones(2, 1, 5, 6, dtype=torch.float64)
    b[1, 0, 0, 0] = math.nan
    x = descend(b, 0.1, n=20).x
    assert x[0].isfinite().all()
    assert x[1].isnan().any()


def test_soft_threshold_shortens_and_keeps_the_phase() -> None:
    values = torch.tensor([3 + 4j, 0.3 + 0.4j, 0])
    expected = torch.tensor([2.4 + 3.2j, 0, 0])
    torch.testing.assert_close(soft_threshold(values, torch.tensor(1.0)), expected)
    real = soft_threshold(torch.tensor([-3.0, 0.5, 2.0]), torch.tensor(1.0))
    torch.testing.assert_close(real.abs(), torch.tensor([2.0, 0.0, 1.0]))
    assert real[0] < 0


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"n": 0}, "n_iterations: expected 1 or more, got 0"),
        ({"tolerance": 1.0}, "tolerance: expected at least 0 and below 1, got 1.0"),
        ({"tolerance": math.nan}, "tolerance: expected at least 0 and below 1, got nan"),
    ],
)
def test_rejects_impossible_limits(changed: dict[str, float], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        descend(torch.ones(1, 1, 5, 6, dtype=torch.float64), 0.1, **changed)  # type: ignore[arg-type]
