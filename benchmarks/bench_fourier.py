"""Data consistency of images, in one pass, against plain PyTorch.

"folded" is the best that was found in plain PyTorch: no shift is executed, only the axes of the
mask are transformed, and the measured samples are handed to it in that plain k-space. "centred" is
the common way. Both choose measured samples; this package weighs differences, to the same result.

Floors, of complex64: 24 bytes a pixel (two reads, one write; 8 a pixel and coil for maps), and the
transforms of the mask's axes there and back, "transforms alone".
Command: pytest benchmarks/bench_fourier.py --benchmark-only --benchmark-group-by=group
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from cases import time_checked
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from mrirecon.fourier import enforce_image_consistency, fft_centred, ifft_centred
from mrirecon.native import keep_freed_memory
from mrirecon.ops import weigh_kspace
from mrirecon.ops.round_trip import masked_dims, unit_weights

SHAPES = {"16x1x256x256": (16, 1, 256, 256), "4x8x320x320 with maps": (4, 8, 320, 320)}
MASKS = ["lines", "plane"]
keep_freed_memory()  # as the commands do; else mapping each result anew takes longer than the work


class Case(NamedTuple):
    """An image, and what was measured of another one."""

    image: Tensor
    """(batch, 1, rows, cols)"""
    maps: Tensor | None
    """(1, coils, rows, cols)"""
    mask: Tensor
    dims: tuple[int, ...]
    plain_mask: Tensor
    """Where the plain transform has what is measured."""
    zero_filled: Tensor
    """(batch, 1, rows, cols), combined."""
    measured: Tensor
    """(batch, coils, rows, cols), plain transform of the coils' zero-filled images along dims."""
    kspace: Tensor
    """(batch, coils, rows, cols), centred."""

    def to_double(self) -> "Case":
        return Case(
            *(
                x.to(torch.complex128) if isinstance(x, Tensor) and x.is_complex() else x
                for x in self
            )
        )


def make(shape: str, mask_kind: str) -> Case:
    torch.manual_seed(0)
    batch, coils, *size = SHAPES[shape]
    image, other = (torch.randn(batch, 1, *size, dtype=torch.complex64) for _ in range(2))
    maps = None
    if coils > 1:
        maps = torch.randn(1, coils, *size, dtype=torch.complex64)
        maps /= maps.abs().square().sum(1, keepdim=True).sqrt()
    mask = torch.rand(size[-1:] if mask_kind == "lines" else size) < 0.25
    kspace = fft_centred(other if maps is None else maps * other) * mask
    coil_images = ifft_centred(kspace)
    dims = masked_dims(mask)
    return Case(
        image=image,
        maps=maps,
        mask=mask,
        dims=dims,
        plain_mask=torch.fft.ifftshift(mask, dim=dims),
        zero_filled=combine(coil_images, maps),
        measured=torch.fft.fftn(coil_images, dim=dims),
        kspace=kspace,
    )


def combine(coil_images: Tensor, maps: Tensor | None) -> Tensor:
    return coil_images if maps is None else (maps.conj() * coil_images).sum(1, keepdim=True)


def in_one_pass(case: Case) -> Tensor:
    if case.maps is None:
        return enforce_image_consistency(case.image, case.zero_filled, case.mask)
    weights = unit_weights(case.image, of_measured=False)
    return case.zero_filled + weigh_kspace(case.image, case.mask, weights, coil_maps=case.maps)


def folded(case: Case) -> Tensor:
    seen = case.image if case.maps is None else case.maps * case.image
    spectrum = torch.where(case.plain_mask, case.measured, torch.fft.fftn(seen, dim=case.dims))
    return combine(torch.fft.ifftn(spectrum, dim=case.dims), case.maps)


def centred(case: Case) -> Tensor:
    seen = case.image if case.maps is None else case.maps * case.image
    joined = torch.where(case.mask, case.kspace, fft_centred(seen))
    return combine(ifft_centred(joined), case.maps)


WAYS: dict[str, Callable[[Case], Tensor]] = {
    "mrirecon": in_one_pass,
    "folded": folded,
    "centred": centred,
}


def floor_bytes(case: Case, passes: int) -> int:
    maps = 0 if case.maps is None else case.maps.numel()
    return 8 * passes * (3 * case.image.numel() + maps)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_forward(benchmark: BenchmarkFixture, shape: str, mask: str, way: str) -> None:
    case = make(shape, mask)
    benchmark.group = f"forward {shape} {mask}"
    time_checked(
        benchmark,
        lambda: WAYS[way](case),
        centred(case.to_double()),
        tolerance=1e-6,
        n_bytes=floor_bytes(case, 1),
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_forward_and_backward(benchmark: BenchmarkFixture, shape: str, mask: str, way: str) -> None:
    """With the gradient to the image, as in a network."""
    case = make(shape, mask)
    benchmark.group = f"with backward {shape} {mask}"
    grad_out = torch.randn_like(case.image)

    def gradient(case: Case, compute: Callable[[Case], Tensor], grad_out: Tensor) -> Tensor:
        leaf = case.image.detach().requires_grad_()
        return torch.autograd.grad(compute(case._replace(image=leaf)), leaf, grad_out)[0]

    time_checked(
        benchmark,
        lambda: gradient(case, WAYS[way], grad_out),
        gradient(case.to_double(), centred, grad_out.to(torch.complex128)),
        tolerance=1e-6,
        n_bytes=floor_bytes(case, 2),
    )


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_transforms_alone(benchmark: BenchmarkFixture, shape: str, mask: str) -> None:
    case = make(shape, mask)
    benchmark.group = f"forward {shape} {mask}"
    benchmark.extra_info["threads"] = torch.get_num_threads()
    benchmark(lambda: torch.fft.ifftn(torch.fft.fftn(case.measured, dim=case.dims), dim=case.dims))
