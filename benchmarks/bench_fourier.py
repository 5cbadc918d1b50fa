"""Data consistency of images: along the masked axes without shifts, against the centred 2-D way.

Floor: two reads of images and one write, 24 bytes a sample in complex64.
Command: pytest benchmarks/bench_fourier.py --benchmark-only --benchmark-group-by=group
"""

from collections.abc import Callable

import pytest
import torch
from cases import BATCHES, LINES, PLANE, time_checked
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from mrirecon.fourier import enforce_image_consistency, fft_centred, ifft_centred


def centred(image: Tensor, zero_filled: Tensor, mask: Tensor) -> Tensor:
    """Go to centred k-space with both images, choose there, and come back."""
    return ifft_centred(torch.where(mask, fft_centred(zero_filled), fft_centred(image)))


WAYS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "mrirecon": enforce_image_consistency,
    "centred": centred,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mask_shape", [LINES, PLANE], ids=["lines", "plane"])
@pytest.mark.parametrize("case", BATCHES)
def test_enforce_image_consistency(
    benchmark: BenchmarkFixture, case: str, mask_shape: tuple[int, ...], way: str
) -> None:
    torch.manual_seed(0)
    image, full = (torch.randn(BATCHES[case], dtype=torch.complex64) for _ in range(2))
    mask = torch.rand(mask_shape) < 0.25
    zero_filled = ifft_centred(fft_centred(full) * mask)
    benchmark.group = f"enforce_image_consistency {case} {'lines' if mask.ndim == 1 else 'plane'}"
    double = torch.complex128
    time_checked(
        benchmark,
        lambda: WAYS[way](image, zero_filled, mask),
        centred(image.to(double), zero_filled.to(double), mask),
        tolerance=1e-6,
        n_bytes=24 * image.numel(),
    )
