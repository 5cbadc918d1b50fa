import math

import pytest
import torch
from properties import assert_adjoint, assert_linear
from torch import Tensor

from mrirecon.classical import daubechies, inverse_wavelet_transform, wavelet_transform


@pytest.mark.parametrize("n_moments", range(1, 11))
def test_filters_are_orthogonal_to_their_shifts_and_have_the_moments_asked_for(
    n_moments: int,
) -> None:
    taps = torch.tensor(daubechies(n_moments), dtype=torch.float64)
    for shift in range(n_moments):
        product = torch.dot(taps[2 * shift :], taps[: len(taps) - 2 * shift])
        assert product.item() == pytest.approx(float(shift == 0), abs=1e-9)
    places = torch.arange(2 * n_moments, dtype=torch.float64) / (2 * n_moments)
    signs = (-1.0) ** torch.arange(2 * n_moments)
    for power in range(n_moments):
        # Roots of multiplicity n lose digits: 1e-8 at 10 moments.
        assert torch.dot(taps * signs, places**power).item() == pytest.approx(0.0, abs=1e-7)


def test_filters_are_those_that_daubechies_lists() -> None:
    root = math.sqrt(3)
    second = [1 + root, 3 + root, 3 - root, 1 - root]
    assert daubechies(1) == pytest.approx([math.sqrt(0.5)] * 2)
    assert daubechies(2) == pytest.approx([tap / (4 * math.sqrt(2)) for tap in second])
    # Daubechies 1988, table 1, N = 4.
    assert daubechies(4)[:3] == pytest.approx([0.230377813309, 0.714846570553, 0.630880767930])


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize(("shape", "n_moments", "n_levels"), [
    ((16, 32), 4, 2), ((16, 16), 4, 2), ((8, 12), 1, 2), ((20, 12), 3, 1), ((7, 5), 2, 0),
])  # fmt: skip
def test_transform_is_orthogonal(
    shape: tuple[int, int], n_moments: int, n_levels: int, dtype: torch.dtype
) -> None:
    taps = daubechies(n_moments)
    x, y = torch.randn(2, 3, 1, *shape, dtype=dtype)

    def forward(image: Tensor) -> Tensor:
        return wavelet_transform(image, taps, n_levels)

    def backward(coefficients: Tensor) -> Tensor:
        return inverse_wavelet_transform(coefficients, taps, n_levels)

    torch.testing.assert_close(backward(forward(x)), x)
    torch.testing.assert_close(forward(backward(x)), x)
    if dtype.is_complex:
        assert_adjoint(forward, backward, x, y)
        assert_linear(forward, x, y)


def test_a_flat_image_has_only_the_coarsest_coefficients() -> None:
    coefficients = wavelet_transform(torch.ones(1, 1, 32, 32).double(), daubechies(4), 2)
    torch.testing.assert_close(coefficients[..., :8, :8], torch.full((1, 1, 8, 8), 4.0).double())
    coefficients[..., :8, :8] = 0
    assert coefficients.abs().max() < 1e-12


def test_an_edge_along_rows_gives_details_along_rows_alone() -> None:
    image = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    image[..., 7:, :] = 1
    coefficients = wavelet_transform(image, daubechies(1), 1)
    assert coefficients[..., 8:, :8].abs().max() > 0.5
    assert coefficients[..., 8:].abs().max() < 1e-12


def test_rejects_sizes_that_do_not_divide_and_shapes_of_several_coils() -> None:
    with pytest.raises(ValueError, match=r"image: expected rows and cols that are multiples of 4"):
        wavelet_transform(torch.ones(1, 1, 18, 16), daubechies(2), 2)
    with pytest.raises(ValueError, match=r"and 16 or more for 2 levels, got \(1, 1, 8, 32\)"):
        wavelet_transform(torch.ones(1, 1, 8, 32), daubechies(4), 2)
    with pytest.raises(ValueError, match=r"image: expected \(batch, 1, rows, cols\)"):
        wavelet_transform(torch.ones(1, 2, 16, 16), daubechies(2), 2)
    with pytest.raises(ValueError, match="n_moments: expected 1 to 10, got 11"):
        daubechies(11)
