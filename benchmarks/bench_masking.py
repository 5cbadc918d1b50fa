"""apply_mask against the plain PyTorch ways.

Floor: one read of k-space and one write, 16 bytes a sample in complex64.
Command: pytest benchmarks/bench_masking.py --benchmark-only --benchmark-group-by=group
"""

from collections.abc import Callable

import pytest
import torch
from cases import BATCHES, LINES, PLANE, time_checked
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from mrirecon import ops

WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mrirecon": ops.apply_mask,
    "multiply": lambda kspace, mask: kspace * mask,
    "where": lambda kspace, mask: torch.where(mask, kspace, 0),
}


def make(case: str, mask_shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(BATCHES[case], dtype=torch.complex64), torch.rand(mask_shape) < 0.25


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mask_shape", [LINES, PLANE], ids=["lines", "plane"])
@pytest.mark.parametrize("case", BATCHES)
def test_apply_mask(
    benchmark: BenchmarkFixture, case: str, mask_shape: tuple[int, ...], way: str
) -> None:
    kspace, mask = make(case, mask_shape)
    benchmark.group = f"apply_mask {case} {'lines' if len(mask_shape) == 1 else 'plane'}"
    expected = kspace.to(torch.complex128) * mask
    time_checked(
        benchmark,
        lambda: WAYS[way](kspace, mask),
        expected,
        tolerance=0.0,
        n_bytes=16 * kspace.numel(),
    )


@pytest.mark.parametrize("way", ["mrirecon", "where of a sum with randn"])
@pytest.mark.parametrize("case", BATCHES)
def test_apply_mask_with_noise(benchmark: BenchmarkFixture, case: str, way: str) -> None:
    kspace, mask = make(case, PLANE)
    benchmark.group = f"apply_mask with noise {case} plane"
    ways = {
        "mrirecon": lambda: ops.apply_mask(kspace, mask, noise_std=1e-4, seed=1),
        "where of a sum with randn": lambda: torch.where(
            mask, kspace + (2**0.5 * 1e-4) * torch.randn_like(kspace), 0
        ),
    }
    time_checked(
        benchmark,
        ways[way],
        kspace.to(torch.complex128) * mask,
        tolerance=1e-3,  # the noise itself
        n_bytes=16 * kspace.numel(),
    )
