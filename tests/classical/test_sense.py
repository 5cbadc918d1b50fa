import math

import pytest
import torch
from properties import assert_adjoint, assert_linear
from torch import Tensor

from mrirecon.classical import cg_sense, sense_normal
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.ops import combine_coils, expand_coils

SHAPE = (6, 7)
MASK_SHAPES = [(7,), (6, 1), (6, 7), (2, 1, 7), (2, 6, 1), (2, 6, 7)]


def make_maps(map_batch: int = 2, coils: int = 4) -> Tensor:
    """Random maps with a sum of squares of 1."""
    maps = torch.randn(map_batch, coils, *SHAPE, dtype=torch.complex128)
    return maps / torch.linalg.vector_norm(maps, dim=1, keepdim=True)


def plain_normal(image: Tensor, mask: Tensor, maps: Tensor, regularisation: float) -> Tensor:
    """The operator from its definition, with every shift and transform."""
    mask = mask.unsqueeze(1) if mask.ndim == 3 else mask
    kspace = fft_centred(maps * image) * mask
    return (maps.conj() * ifft_centred(kspace)).sum(1, keepdim=True) + regularisation * image


def exact_image(kspace: Tensor, mask: Tensor, maps: Tensor, regularisation: float) -> Tensor:
    """Solve the normal equations by a dense matrix."""
    n = math.prod(SHAPE)
    basis = torch.eye(n, dtype=kspace.dtype).view(n, 1, 1, *SHAPE)
    columns = [
        plain_normal(unit.expand(len(kspace), 1, *SHAPE), mask, maps, regularisation).flatten(1)
        for unit in basis
    ]
    matrix = torch.stack(columns, dim=2)  # (batch, n, n)
    masked = kspace * (mask.unsqueeze(1) if mask.ndim == 3 else mask)
    right = (maps.conj() * ifft_centred(masked)).sum(1).flatten(1)
    return torch.linalg.solve(matrix, right).view(-1, 1, *SHAPE)


@pytest.mark.parametrize("mask_shape", MASK_SHAPES)
def test_normal_operator_is_hermitian_and_as_defined(
    mask_shape: tuple[int, ...],
) -> None:
    mask, maps = torch.rand(mask_shape) < 0.5, make_maps()
    x, y = torch.randn(2, 2, 1, *SHAPE, dtype=torch.complex128)
    normal = sense_normal(mask, maps, regularisation=0.3)
    torch.testing.assert_close(normal(x), plain_normal(x, mask, maps, 0.3))
    assert_adjoint(normal, normal, x, y)
    assert_linear(normal, x, y)


@pytest.mark.parametrize("map_batch", [1, 2])
@pytest.mark.parametrize("mask_shape", MASK_SHAPES)
def test_solves_the_regularised_least_squares_problem(
    mask_shape: tuple[int, ...], map_batch: int
) -> None:
    mask, maps = torch.rand(mask_shape) < 0.5, make_maps(map_batch)
    kspace = torch.randn(2, 4, *SHAPE, dtype=torch.complex128)
    x, residuals = cg_sense(
        kspace, mask, maps, regularisation=0.1, n_iterations=100, tolerance=1e-12
    )
    assert residuals[-1].max() <= 1e-12
    expected = exact_image(kspace, mask, maps, 0.1)
    torch.testing.assert_close(x, expected, rtol=0, atol=1e-12 / 0.1 * expected.norm().item())


def test_fully_sampled_kspace_gives_the_image_in_one_step() -> None:
    maps, image = make_maps(), torch.randn(2, 1, *SHAPE, dtype=torch.complex128)
    kspace = fft_centred(expand_coils(image, maps))
    mask = torch.ones(SHAPE[1], dtype=torch.bool)
    x, residuals = cg_sense(kspace, mask, maps, regularisation=0.0)
    assert residuals.shape == (2, 2)
    torch.testing.assert_close(x, image)


def test_undersampled_kspace_of_several_coils_gives_the_image() -> None:
    """Every second line of four coils: the zero-filled image is far off, SENSE is exact."""
    maps, image = make_maps(1), torch.randn(2, 1, *SHAPE, dtype=torch.complex128)
    mask = torch.arange(SHAPE[0])[:, None] % 2 == 0
    kspace = fft_centred(expand_coils(image, maps))
    x = cg_sense(kspace, mask, maps, regularisation=0.0, n_iterations=200, tolerance=1e-12).x
    # The error is the residual, 1e-12, times the condition of random maps, below 1e4.
    torch.testing.assert_close(x, image, rtol=0, atol=1e-8)
    zero_filled = combine_coils(ifft_centred(kspace * mask), maps)
    assert (zero_filled - image).norm() > 0.3 * image.norm()


def test_samples_that_were_not_measured_are_not_used() -> None:
    maps, mask = make_maps(), torch.rand(SHAPE) < 0.5
    kspace = torch.randn(2, 4, *SHAPE, dtype=torch.complex128)
    elsewhere = torch.where(mask, kspace, math.nan)
    assert torch.equal(cg_sense(elsewhere, mask, maps).x, cg_sense(kspace, mask, maps).x)


def test_gradients_to_kspace_and_maps_are_right() -> None:
    mask = torch.rand(SHAPE) < 0.7
    leaves = [torch.randn(1, 2, *SHAPE, dtype=torch.complex128), make_maps(1, 2)]

    def reconstruct(kspace: Tensor, maps: Tensor) -> Tensor:
        return cg_sense(kspace, mask, maps, regularisation=0.5, n_iterations=4, tolerance=0.0).x[
            ..., :2, :2
        ]

    assert torch.autograd.gradcheck(
        reconstruct, [x.requires_grad_() for x in leaves], fast_mode=True
    )


@pytest.mark.parametrize("regularisation", [-1.0, math.nan, math.inf])
def test_rejects_an_impossible_regularisation(regularisation: float) -> None:
    kspace = torch.randn(2, 4, *SHAPE, dtype=torch.complex128)
    mask = torch.ones(SHAPE, dtype=torch.bool)
    with pytest.raises(ValueError, match="regularisation: expected 0 or more, got"):
        cg_sense(kspace, mask, make_maps(), regularisation=regularisation)
