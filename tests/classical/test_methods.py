import math
from dataclasses import replace
from typing import get_args

import pytest
import torch
from properties import assert_adjoint, rounding
from torch import Tensor

from mrirecon import Nufft
from mrirecon.classical import (
    Encoding,
    MethodName,
    SenseConfig,
    TotalVariationConfig,
    WaveletConfig,
    cg_sense,
    get_method,
    reconstruct,
    reconstruct_wavelet,
)
from mrirecon.classical.methods import MethodConfig
from mrirecon.fourier import fft_centred
from mrirecon.ops import apply_mask, expand_coils

SHAPE = (36, 32)
SPARSE: list[MethodConfig] = [
    TotalVariationConfig(regularisation=0.003, n_iterations=400, tolerance=1e-5),
    WaveletConfig(regularisation=0.003, n_iterations=400, tolerance=1e-5, n_moments=1),
]
NAMES = get_args(MethodName)
FOR_ANY_MASK = [name for name in NAMES if name not in ("homodyne", "pocs")]


def make_image(batch: int = 1) -> Tensor:
    """Boxes on a background of 0, of few edges and few Haar wavelets."""
    images = torch.zeros(batch, 1, *SHAPE, dtype=torch.complex128)
    for i in range(batch):
        images[i, :, 4:24, 8 : 28 - 4 * i] = 1
        images[i, :, 8:16, 12:20] = 0.5
    return images


def make_maps(coils: int = 3) -> Tensor:
    """Smooth maps, a wave each, with a sum of squares of 1."""
    rows = torch.linspace(-1, 1, SHAPE[0], dtype=torch.float64)[:, None]
    cols = torch.linspace(-1, 1, SHAPE[1], dtype=torch.float64)
    maps = torch.stack([torch.exp(1j * c * rows) * (1 + 0.5 * torch.cos(c + cols + 2 * rows))
                        for c in range(coils)])  # fmt: skip
    return (maps / torch.linalg.vector_norm(maps, dim=0))[None]


def make_mask(part: float = 0.4) -> Tensor:
    mask = torch.rand(SHAPE) < part
    mask[SHAPE[0] // 2 - 4 : SHAPE[0] // 2 + 4, SHAPE[1] // 2 - 4 : SHAPE[1] // 2 + 4] = True
    return mask


def mask_for(method: str) -> Tensor:
    """Points, or lines of more than half of k-space for methods that need them."""
    return make_mask() if method in FOR_ANY_MASK else torch.arange(SHAPE[1]) > 9


def coords_of(mask: Tensor) -> Tensor:
    """Give a mask's samples as a trajectory."""
    return (mask.nonzero() - torch.tensor([n // 2 for n in SHAPE])).double()


def error(image: Tensor, target: Tensor) -> float:
    return float((image - target).norm() / target.norm())


@pytest.mark.parametrize("config", SPARSE)
@pytest.mark.parametrize("is_real", [True, False])
def test_sparse_priors_find_the_sparse_image(config: MethodConfig, is_real: bool) -> None:
    image, mask = make_image(), make_mask(0.3)
    kspace = fft_centred(image)
    found = reconstruct(config, kspace, mask, is_real=is_real)
    assert found.is_complex() != is_real
    zero_filled = reconstruct("zero-filled", kspace, mask)
    assert error(found, image) < 0.5 * error(zero_filled, image)


@pytest.mark.parametrize("method", FOR_ANY_MASK)
@pytest.mark.parametrize("has_maps", [True, False])
def test_cartesian_samples_off_the_grid_give_the_image_of_their_mask(
    method: str, has_maps: bool
) -> None:
    image, mask = make_image(2), make_mask()
    maps = make_maps() if has_maps else None
    kspace = fft_centred(image if maps is None else expand_coils(image, maps))
    nufft = Nufft(coords_of(mask), SHAPE, 1e-12)
    samples = kspace.flatten(2)[..., mask.flatten()]
    expected = reconstruct(method, kspace, mask, maps)
    found = reconstruct(method, samples, nufft, maps)
    # Steps are 5 % shorter by the margin of the power iteration; both stop at 1e-3.
    assert error(found, expected) < 1e-2


@pytest.mark.parametrize("method", NAMES)
def test_every_slice_is_reconstructed_as_if_alone(method: str) -> None:
    image, mask, maps = make_image(3), mask_for(method), make_maps()
    kspace = fft_centred(expand_coils(image, maps)) * torch.tensor([1.0, 5, 2]).view(-1, 1, 1, 1)
    together = reconstruct(method, kspace, mask, maps)
    for i in range(3):
        alone = reconstruct(method, kspace[i : i + 1], mask, maps)
        torch.testing.assert_close(together[i : i + 1], alone)


@pytest.mark.parametrize("method", NAMES)
def test_the_scale_of_kspace_is_that_of_the_image(method: str) -> None:
    """`regularisation` means the same for every scan, whatever its units."""
    mask, kspace = mask_for(method), fft_centred(make_image())
    once = reconstruct(method, kspace, mask)
    torch.testing.assert_close(reconstruct(method, 1e-6 * kspace, mask), 1e-6 * once)


@pytest.mark.parametrize("method", NAMES)
def test_an_image_known_to_be_real_is_reconstructed_from_half_of_kspace(method: str) -> None:
    """Of a real image half of k-space tells the other half; a complex one lacks it."""
    image = make_image()
    kspace = fft_centred(image)
    half = torch.arange(SHAPE[1]) <= SHAPE[1] // 2
    found = reconstruct(method, kspace, half, is_real=True)
    assert not found.is_complex()
    if method != "zero-filled":
        assert error(found, image) < 0.2 * error(reconstruct("zero-filled", kspace, half), image)


@pytest.mark.parametrize("is_real", [True, False])
@pytest.mark.parametrize("mask_shape", [(32,), (36, 1), (2, 36, 32)])
def test_normal_operator_is_its_own_adjoint(mask_shape: tuple[int, ...], is_real: bool) -> None:
    encoding = Encoding(torch.rand(mask_shape) < 0.5, make_maps(), is_real=is_real)
    dtype = torch.float64 if is_real else torch.complex128
    x, y = torch.randn(2, 2, 1, *SHAPE, dtype=dtype)
    assert_adjoint(encoding.normal, encoding.normal, x, y)
    largest = encoding.largest_eigenvalue(x)
    assert largest.shape == (2, 1, 1, 1)
    torch.testing.assert_close(largest, torch.ones_like(largest))


def test_power_iteration_bounds_the_eigenvalues_off_the_grid() -> None:
    """Repeated samples raise the largest eigenvalue above 1: three times all of k-space is 3."""
    coords = coords_of(torch.ones(SHAPE, dtype=torch.bool)).repeat(3, 1)
    encoding = Encoding(Nufft(coords, SHAPE, 1e-9))
    largest = encoding.largest_eigenvalue(torch.zeros(2, 1, *SHAPE, dtype=torch.complex128))
    torch.testing.assert_close(largest, torch.full((2, 1, 1, 1), 3 * 1.05).double())


def test_cg_sense_is_what_it_is_elsewhere() -> None:
    image, mask, maps = make_image(), make_mask(), make_maps()
    kspace = fft_centred(expand_coils(image, maps))
    config = SenseConfig(regularisation=0.1, n_iterations=7, tolerance=1e-9)
    expected = cg_sense(kspace, mask, maps, regularisation=0.1, n_iterations=7, tolerance=1e-9).x
    torch.testing.assert_close(reconstruct(config, kspace, mask, maps), expected)


def test_sizes_that_do_not_divide_are_reconstructed_as_well() -> None:
    """35 x 30 with 3 levels is met by 40 x 32 inside; all measured, it gives the image."""
    image = make_image()[..., :35, :30].contiguous()
    every = torch.ones(30, dtype=torch.bool)
    found = reconstruct_wavelet(
        fft_centred(image), Encoding(every), regularisation=0, n_moments=1, n_levels=3
    )
    torch.testing.assert_close(found.x, image, rtol=0, atol=rounding(image))


def test_moved_wavelets_show_fewer_blocks() -> None:
    """A wave has no place, yet Haar wavelets that stay where they are make steps of it."""
    rows, cols = torch.meshgrid(*[torch.linspace(-2, 2, n) for n in SHAPE], indexing="ij")
    image = torch.cos(rows + 0.5 * cols)[None, None].to(torch.complex128)
    config = WaveletConfig(regularisation=0.01, n_moments=1)
    kspace, mask = fft_centred(image), make_mask(0.3)
    moved, still = (
        error(reconstruct(replace(config, is_shifted=moves), kspace, mask), image)
        for moves in (True, False)
    )
    assert moved < 0.8 * still


def test_the_coarsest_image_is_not_penalised() -> None:
    """However strong the prior, the mean stays, where a shortened one would darken the image."""
    image, every = make_image(), torch.ones(SHAPE[1], dtype=torch.bool)
    config = WaveletConfig(regularisation=100, n_moments=1, is_shifted=False)
    found = reconstruct(config, fft_centred(image), every)
    torch.testing.assert_close(found[..., :32, :].sum(), image[..., :32, :].sum())


def test_samples_that_were_not_measured_are_not_used() -> None:
    kspace = fft_centred(make_image())
    for method in NAMES:
        mask = mask_for(method)
        elsewhere = torch.where(mask, kspace, math.nan)
        found = reconstruct(method, elsewhere, mask)
        torch.testing.assert_close(found, reconstruct(method, apply_mask(kspace, mask), mask))


def test_kspace_of_zeros_gives_an_image_of_zeros() -> None:
    for method in NAMES:
        kspace = torch.zeros(1, 1, *SHAPE, dtype=torch.complex64)
        found = reconstruct(method, kspace, mask_for(method))
        assert torch.count_nonzero(found) == 0


def test_names_and_arguments_that_do_not_fit_are_rejected() -> None:
    kspace, mask = torch.ones(1, 2, *SHAPE, dtype=torch.complex64), make_mask()
    with pytest.raises(ValueError, match="method: expected one of zero-filled, homodyne, po"):
        get_method("grappa")
    for method in NAMES:
        with pytest.raises(ValueError, match="coil_maps: expected maps of 2 coils, got none"):
            reconstruct(method, kspace, mask_for(method))
    with pytest.raises(ValueError, match="n_levels: expected 0 or more, got -1"):
        reconstruct(WaveletConfig(n_levels=-1), kspace[:, :1], mask)


@pytest.mark.parametrize("config", [SenseConfig, TotalVariationConfig, WaveletConfig])
@pytest.mark.parametrize(
    ("name", "value"),
    [("regularisation", -1.0), ("regularisation", math.nan), ("n_iterations", 0), ("tolerance", 1)],
)
def test_configurations_out_of_range_are_rejected(
    config: type[SenseConfig], name: str, value: float
) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected .*, got {value}"):
        config(**{name: value})  # type: ignore[arg-type]
