"""Density compensation: its scale, its kernel and its errors."""

import math

import pytest
import torch
from density_cases import assert_keeps_a_constant, cartesian_coords
from torch import Tensor

from mrirecon.nufft import density_compensation, ramp_density


def radial_coords(n_spokes: int, n_samples: int, n: int) -> Tensor:
    angle = torch.arange(n_spokes, dtype=torch.float64)[:, None] * math.pi / n_spokes
    radius = (torch.arange(n_samples) - n_samples // 2) / n_samples * n
    return torch.stack([radius * angle.sin(), radius * angle.cos()], -1).reshape(-1, 2)


def kooshball_coords(n_spokes: int, n_samples: int, n: int) -> Tensor:
    """Spokes towards evenly spread points of a half sphere (a Fibonacci lattice)."""
    index = torch.arange(n_spokes, dtype=torch.float64) + 0.5
    height, angle = index / n_spokes, index * math.pi * (3 - 5**0.5)
    flat = (1 - height**2).sqrt()
    direction = torch.stack([height, flat * angle.sin(), flat * angle.cos()], -1)
    radius = (torch.arange(n_samples, dtype=torch.float64) - n_samples // 2) / n_samples * n
    return (direction[:, None] * radius[:, None]).reshape(-1, 3)


# Steps of 1 along a spoke alias what lies a field of view apart, which only a ramp is made for.
@pytest.mark.parametrize(("n_samples", "tolerance"), [(96, 0.02), (48, 0.06)])
def test_a_constant_comes_back_from_spokes(n_samples: int, tolerance: float) -> None:
    coords = radial_coords(80, n_samples, 48)
    assert_keeps_a_constant(coords, density_compensation(coords, (48, 48)), 48, tolerance)
    assert_keeps_a_constant(coords, ramp_density(coords, 80), 48, 0.015)


def test_a_constant_comes_back_from_spokes_in_three_dimensions() -> None:
    coords = kooshball_coords(700, 32, 16)
    weights = density_compensation(coords.float(), (16, 16, 16))
    assert weights.dtype == torch.float32
    assert_keeps_a_constant(coords, weights.double(), 16, 0.05)
    assert_keeps_a_constant(coords, ramp_density(coords, 700), 16, 0.05)


def test_cartesian_samples_have_weight_one() -> None:
    coords = cartesian_coords(12, 15)
    weights = density_compensation(coords, (12, 15), n_iterations=1, accuracy=1e-10)
    torch.testing.assert_close(weights, torch.ones_like(weights), rtol=0, atol=1e-8)


def test_coinciding_samples_share_their_weight() -> None:
    coords = cartesian_coords(12, 15)
    weights = density_compensation(torch.cat([coords, coords[:5], coords[:5]]), (12, 15))
    torch.testing.assert_close(weights[:5].mean(), torch.tensor(1 / 3).double(), rtol=0, atol=1e-3)
    torch.testing.assert_close(weights[5:180].mean(), torch.tensor(1.0).double(), rtol=0, atol=1e-3)


def test_one_step_divides_by_the_sum_of_fejer_kernels() -> None:
    coords = (torch.rand(40, 2, dtype=torch.float64) - 0.5) * torch.tensor([9, 14])
    kernel = torch.ones(40, 40, dtype=torch.float64)
    for axis, n in enumerate((9, 14)):
        distance = math.pi * (coords[:, None, axis] - coords[:, axis])
        ratio = distance.sin() / (n * (distance / n).sin())
        kernel *= torch.where(distance == 0, 1, ratio.square())
    found = density_compensation(coords, (9, 14), n_iterations=1, accuracy=1e-10)
    torch.testing.assert_close(found, 1 / kernel.sum(1), rtol=0, atol=1e-8)


def test_each_trajectory_of_a_batch_has_its_own_weights() -> None:
    coords = torch.stack([radial_coords(9, 16, 12), 0.5 * radial_coords(9, 16, 12)])
    together = density_compensation(coords, (12, 12))
    for found, own in zip(together, coords, strict=True):
        expected = density_compensation(own, (12, 12))
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    ramps = [ramp_density(own, 9) for own in coords]
    torch.testing.assert_close(ramp_density(coords, 9), torch.stack(ramps))


@pytest.mark.parametrize("shift", [0, 0.3, 0.5, -0.2])
@pytest.mark.parametrize("step", [1.0, 0.4])
@pytest.mark.parametrize("ndim", [2, 3])
def test_ramp_integrates_a_gaussian_wherever_its_samples_lie(
    ndim: int, step: float, shift: float
) -> None:
    radius = (torch.arange(-40, 40, dtype=torch.float64) + shift) * step
    coords = (radius[:, None] * torch.eye(ndim)[0]).repeat(5, 1)
    gaussian = (-coords.square().sum(1) / 18).exp()  # of standard deviation 3
    found = float((ramp_density(coords, 5) * gaussian).sum())
    assert found == pytest.approx((2 * math.pi * 9) ** (ndim / 2), rel=1e-3)


def test_rejects_no_iteration() -> None:
    with pytest.raises(ValueError, match="n_iterations: expected at least 1, got 0"):
        density_compensation(torch.zeros(4, 2), (8, 9), n_iterations=0)


@pytest.mark.parametrize("n_spokes", [0, 3, 4])
def test_rejects_spokes_of_unequal_or_no_length(n_spokes: int) -> None:
    with pytest.raises(ValueError, match=f"n_spokes: expected a divisor of 4 .*, got {n_spokes}"):
        ramp_density(torch.zeros(4, 2), n_spokes)


def test_rejects_a_ramp_of_one_axis() -> None:
    with pytest.raises(ValueError, match="coords: expected points of 2 or 3 axes, got 1"):
        ramp_density(torch.zeros(4, 1), 2)
