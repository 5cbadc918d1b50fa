import math

import pytest
import torch
from properties import assert_adjoint, assert_gradient_is_adjoint, assert_linear, rounding
from torch import Tensor

from mrirecon.fourier import enforce_image_consistency, fft_centred, ifft_centred

SIZES = [(8, 8), (7, 9), (6, 11), (1, 5), (5, 1)]


def direct_transform(n: int) -> Tensor:
    """The centred orthonormal transform of length n as a matrix, from its definition."""
    index = torch.arange(n, dtype=torch.float64) - n // 2
    return torch.exp(-2j * math.pi * torch.outer(index, index) / n) / math.sqrt(n)


@pytest.mark.parametrize("size", SIZES)
def test_fft_equals_the_direct_sum(size: tuple[int, int]) -> None:
    image = torch.randn(2, 3, *size, dtype=torch.complex128)
    rows, cols = (direct_transform(n) for n in size)
    expected = rows @ image @ cols.T
    torch.testing.assert_close(fft_centred(image), expected, rtol=0, atol=rounding(image))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dims", [(-2, -1), (-1,), (-2,)])
def test_ifft_is_inverse_and_adjoint(size: tuple[int, int], dims: tuple[int, ...]) -> None:
    x = torch.randn(2, 1, *size, dtype=torch.complex128)
    y = torch.randn_like(x)
    torch.testing.assert_close(
        ifft_centred(fft_centred(x, dims), dims), x, rtol=0, atol=rounding(x)
    )
    assert_adjoint(lambda v: fft_centred(v, dims), lambda v: ifft_centred(v, dims), x, y)
    assert_gradient_is_adjoint(
        lambda v: fft_centred(v, dims), lambda v: ifft_centred(v, dims), x, y
    )
    assert_linear(lambda v: fft_centred(v, dims), x, y)


@pytest.mark.parametrize("size", [(64, 64), (63, 65)])
def test_round_trip_neither_shifts_flips_nor_swaps_real_and_imaginary(
    size: tuple[int, int],
) -> None:
    """Earlier work flipped twice, which shifted by a pixel, and swapped real and imaginary."""
    image = torch.randn(2, 1, *size, dtype=torch.complex64)
    error = (ifft_centred(fft_centred(image)) - image).abs().max()
    assert error < 2e-6  # below 17 eps; 0.8e-6 was measured over 40 such images


@pytest.mark.parametrize("size", [(8, 10), (7, 9)])
def test_delta_at_the_centre_becomes_a_real_constant(size: tuple[int, int]) -> None:
    rows, cols = size
    image = torch.zeros(size, dtype=torch.complex128)
    image[rows // 2, cols // 2] = 1
    expected = torch.full_like(image, 1 / math.sqrt(rows * cols))
    torch.testing.assert_close(fft_centred(image), expected, rtol=0, atol=rounding(image))
    torch.testing.assert_close(ifft_centred(image), expected, rtol=0, atol=rounding(image))


def test_batch_and_coils_are_left_alone() -> None:
    image = torch.randn(3, 2, 8, 7, dtype=torch.complex128)
    each = torch.stack([torch.stack([fft_centred(coil) for coil in one]) for one in image])
    torch.testing.assert_close(fft_centred(image), each, rtol=0, atol=rounding(image))


def test_a_real_image_gives_complex_kspace() -> None:
    image = torch.rand(1, 1, 8, 8)
    assert fft_centred(image).dtype == torch.complex64
    assert torch.equal(fft_centred(image), fft_centred(image.to(torch.complex64)))


def test_gradients_are_right() -> None:
    image = torch.randn(1, 2, 4, 5, dtype=torch.complex128, requires_grad=True)
    assert torch.autograd.gradcheck(fft_centred, (image,))
    assert torch.autograd.gradcheck(ifft_centred, (image,))


def test_the_pair_compiles_without_a_graph_break() -> None:
    image = torch.randn(1, 1, 8, 8, dtype=torch.complex64)

    def round_trip(x: Tensor) -> Tensor:
        return ifft_centred(fft_centred(x))

    compiled = torch.compile(round_trip, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(image), round_trip(image))


MASK_SHAPES = [(9,), (8, 1), (8, 9), (2, 1, 9), (2, 8, 1), (2, 8, 9)]


def random_mask(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(shape) < 0.4


def coil_axis(mask: Tensor) -> Tensor:
    return mask.unsqueeze(1) if mask.ndim == 3 else mask


def measure(shape: tuple[int, ...], mask: Tensor) -> tuple[Tensor, Tensor]:
    """Random measured k-space, zero where the mask is, and its zero-filled image."""
    kspace = torch.randn(shape, dtype=torch.complex128) * coil_axis(mask)
    return kspace, ifft_centred(kspace)


@pytest.mark.parametrize("mask_shape", MASK_SHAPES)
@pytest.mark.parametrize("weight", [None, 0.7])
def test_image_consistency_equals_the_plain_centred_way(
    mask_shape: tuple[int, ...], weight: float | None
) -> None:
    mask = random_mask(mask_shape)
    kspace, zero_filled = measure((2, 3, 8, 9), mask)
    image = torch.randn_like(kspace)
    predicted = fft_centred(image)
    joined = kspace if weight is None else (predicted + weight * kspace) / (1 + weight)
    expected = ifft_centred(torch.where(coil_axis(mask), joined, predicted))
    noise_weight = None if weight is None else torch.tensor(weight, dtype=torch.float64)
    result = enforce_image_consistency(image, zero_filled, mask, noise_weight=noise_weight)
    torch.testing.assert_close(result, expected, rtol=0, atol=rounding(image))


@pytest.mark.parametrize("mask_shape", MASK_SHAPES)
def test_image_consistency_keeps_measured_kspace_and_is_idempotent(
    mask_shape: tuple[int, ...],
) -> None:
    mask = random_mask(mask_shape)
    kspace, zero_filled = measure((2, 1, 8, 9), mask)
    image = torch.randn_like(kspace)
    once = enforce_image_consistency(image, zero_filled, mask)
    kept = fft_centred(once) * coil_axis(mask)
    torch.testing.assert_close(kept, kspace, rtol=0, atol=rounding(image))
    twice = enforce_image_consistency(once, zero_filled, mask)
    torch.testing.assert_close(twice, once, rtol=0, atol=rounding(image))


def test_image_consistency_of_a_full_mask_is_the_measured_image() -> None:
    mask = torch.ones(9, dtype=torch.bool)
    _, zero_filled = measure((1, 1, 8, 9), mask)
    result = enforce_image_consistency(torch.randn_like(zero_filled), zero_filled, mask)
    torch.testing.assert_close(result, zero_filled, rtol=0, atol=rounding(zero_filled))


def test_image_consistency_has_right_gradients() -> None:
    mask = random_mask((5,))
    _, zero_filled = measure((1, 1, 4, 5), mask)
    image = torch.randn_like(zero_filled).requires_grad_()
    weight = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)

    def consistent(x: Tensor, w: Tensor) -> Tensor:
        return enforce_image_consistency(x, zero_filled, mask, noise_weight=w)

    assert torch.autograd.gradcheck(consistent, (image, weight))


def test_image_consistency_compiles_without_a_graph_break() -> None:
    mask = random_mask((8,))
    _, zero_filled = measure((1, 1, 8, 8), mask)
    image = torch.randn_like(zero_filled)
    compiled = torch.compile(enforce_image_consistency, fullgraph=True, backend="aot_eager")
    expected = enforce_image_consistency(image, zero_filled, mask)
    torch.testing.assert_close(compiled(image, zero_filled, mask), expected)


def test_image_consistency_refuses_a_mask_of_the_wrong_length() -> None:
    image = torch.zeros(1, 1, 8, 9, dtype=torch.complex64)
    with pytest.raises(ValueError, match=r"^mask: expected .* got \(10,\)"):
        enforce_image_consistency(image, image, torch.ones(10, dtype=torch.bool))


def test_image_consistency_refuses_images_of_different_shapes() -> None:
    image = torch.zeros(2, 1, 8, 9, dtype=torch.complex64)
    text = r"^zero_filled: expected \(2, 1, 8, 9\), the shape of image, got \(1, 1, 8, 9\)$"
    with pytest.raises(ValueError, match=text):
        enforce_image_consistency(image, image[:1], torch.ones(9, dtype=torch.bool))
