"""The interpolation kernel, its error, and the choice of grid and width."""

import math

import numpy as np
import pytest
import torch

from mrirecon.nufft import Gridding, Nufft
from mrirecon.nufft.gridding import choose_gridding, grid_size, gridding_error
from mrirecon.nufft.kernel import design, kernel, kernel_transform, taps
from mrirecon.nufft.toeplitz import convolution_grid, convolution_is_faster
from mrirecon.reference import nufft as direct

EPS = torch.finfo(torch.float64).eps


@pytest.mark.parametrize("width", [2, 5, 6, 13])
def test_the_kernels_transform_is_its_integral(width: int) -> None:
    shape = design(width, 1.5)
    nodes, weights = map(torch.from_numpy, np.polynomial.legendre.leggauss(400))
    values = kernel(nodes * width / 2, width, shape) * weights * width / 2
    frequency = torch.linspace(0, 3, 31, dtype=torch.float64)
    integral = torch.cos(2 * math.pi * frequency[:, None] * nodes * width / 2) @ values
    found = kernel_transform(frequency, width, torch.tensor(shape, dtype=torch.float64))
    # The kernel ends with a step, so the quadrature is exact to rounding only within it.
    torch.testing.assert_close(found, integral, rtol=0, atol=1e3 * EPS * width)


@pytest.mark.parametrize("oversampling", [1.2, 1.5, 2.0])
@pytest.mark.parametrize("width", [3, 6, 8, 9, 16])
def test_polynomials_are_far_closer_than_the_kernels_own_error(
    width: int, oversampling: float
) -> None:
    shape = design(width, oversampling)
    coefficients = taps(width, shape)
    offsets = torch.linspace(-0.5, 0.5, 101, dtype=torch.float64)
    powers = torch.arange(len(coefficients) - 1, -1, -1)
    fitted = (offsets[:, None] ** powers) @ coefficients[:, :width]
    exact = kernel(torch.arange(width) + (1 - width) / 2 + offsets[:, None], width, shape)
    error = gridding_error((512,), (int(512 * oversampling),), width, torch.float64)
    assert (fitted - exact).abs().max() <= 0.05 * error + 100 * EPS


@pytest.mark.parametrize("oversampling", [1.25, 1.5, 2.0])
@pytest.mark.parametrize("width", [4, 6, 8])
def test_the_estimated_error_is_the_measured_one(width: int, oversampling: float) -> None:
    n = 128
    gridding = Gridding((int(n * oversampling),), width)
    coords = ((torch.rand(3000, 1) - 0.5) * n).double()
    image = torch.randn(1, 1, n, dtype=torch.complex128)
    exact = direct.nufft(image, coords)
    measured = float((Nufft(coords, (n,), gridding=gridding)(image) - exact).norm() / exact.norm())
    estimated = gridding_error((n,), gridding.grid, width, torch.float64)
    assert 0.3 * estimated <= measured <= estimated


def test_grids_have_small_factors_and_whole_bands_of_rows() -> None:
    assert [grid_size(n, 0, 1) for n in (32, 33, 45, 97)] == [32, 36, 48, 100]
    assert grid_size(36, axis=0, ndim=2) == 40  # rows: eight lie next to each other
    assert grid_size(36, axis=1, ndim=2) == 36


def test_many_samples_make_finer_grids_and_narrower_kernels_worthwhile() -> None:
    few, many = (
        choose_gridding((256, 256), n, 1, 1e-5, torch.float32) for n in (1_000, 10_000_000)
    )
    assert few.grid < many.grid
    assert few.width > many.width


def test_the_convolution_is_chosen_where_samples_are_dense() -> None:
    sparse, dense = (Nufft((torch.rand(n, 2) - 0.5) * 64, (64, 64)).plan for n in (500, 100_000))
    assert not convolution_is_faster(sparse, n_images=8)
    assert convolution_is_faster(dense, n_images=8)


def test_the_convolutions_grid_holds_every_distance() -> None:
    rows, cols = convolution_grid((33, 100))
    assert rows >= 2 * 33 - 1
    assert cols >= 2 * 100 - 1
