"""enforce_consistency against the plain PyTorch ways.

Floor: prediction read, measured read where the mask is set, result written: 16 bytes a sample in
complex64, and 8 more for each measured one. A quarter of the samples is measured.
Command: pytest benchmarks/bench_consistency.py --benchmark-only --benchmark-group-by=group
"""

from collections.abc import Callable

import pytest
import torch
from cases import BATCHES, LINES, PLANE, time_checked
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from mrirecon import ops
from mrirecon.reference import consistency as reference

Enforce = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
MASKS = {"lines": LINES, "plane": PLANE}
WEIGHT = 0.7

HARD: dict[str, Enforce] = {
    "mrirecon": lambda p, m, mask, w: ops.enforce_consistency(p, m, mask),
    "where": lambda p, m, mask, w: torch.where(mask, m, p),
    "sum of products": lambda p, m, mask, w: mask * m + (~mask) * p,
}
SOFT: dict[str, Enforce] = {
    "mrirecon": lambda p, m, mask, w: ops.enforce_consistency(p, m, mask, noise_weight=w),
    "where": lambda p, m, mask, w: torch.where(mask, (p + w * m) / (1 + w), p),
    "lerp by a map of weights": lambda p, m, mask, w: p + (mask * (w / (1 + w))) * (m - p),
}


def make(case: str, mask: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    prediction, measured = torch.randn(2, *BATCHES[case], dtype=torch.complex64)
    return prediction, measured, torch.rand(MASKS[mask]) < 0.25, torch.tensor(WEIGHT)


def bytes_of(kspace: Tensor, mask: Tensor, streams: int, measured_streams: int) -> int:
    """Bytes of whole passes over k-space, and of passes over its measured samples alone."""
    share = float(mask.float().mean())
    return int(8 * kspace.numel() * (streams + measured_streams * share))


def exact(operands: tuple[Tensor, ...], is_soft: bool) -> Tensor:
    prediction, measured, mask, weight = operands
    return reference.enforce_consistency(
        prediction.to(torch.complex128),
        measured.to(torch.complex128),
        mask,
        noise_weight=weight.double() if is_soft else None,
    )


@pytest.mark.parametrize("way", HARD)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("case", BATCHES)
def test_hard(benchmark: BenchmarkFixture, case: str, mask: str, way: str) -> None:
    operands = make(case, mask)
    benchmark.group = f"hard {case} {mask}"
    time_checked(
        benchmark,
        lambda: HARD[way](*operands),
        exact(operands, is_soft=False),
        tolerance=0.0,
        n_bytes=bytes_of(operands[0], operands[2], 2, 1),
    )


@pytest.mark.parametrize("way", SOFT)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("case", BATCHES)
def test_soft(benchmark: BenchmarkFixture, case: str, mask: str, way: str) -> None:
    operands = make(case, mask)
    benchmark.group = f"soft {case} {mask}"
    time_checked(
        benchmark,
        lambda: SOFT[way](*operands),
        exact(operands, is_soft=True),
        tolerance=1e-6,
        n_bytes=bytes_of(operands[0], operands[2], 2, 1),
    )


@pytest.mark.parametrize("way", ["mrirecon", "where"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("case", BATCHES)
def test_soft_forward_and_backward(
    benchmark: BenchmarkFixture, case: str, mask: str, way: str
) -> None:
    """Gradients to prediction and weight, as a network with a learned weight needs them."""
    prediction, measured, chosen, weight = make(case, mask)
    benchmark.group = f"soft, forward and backward {case} {mask}"
    grad_out = torch.randn_like(prediction)

    def gradients(
        enforce: Enforce, prediction: Tensor, measured: Tensor, grad_out: Tensor, weight: Tensor
    ) -> Tensor:
        leaves = [x.detach().requires_grad_() for x in (prediction, weight)]
        out = enforce(leaves[0], measured, chosen, leaves[1])
        grads = torch.autograd.grad(out, leaves, grad_out)
        # The weight's gradient is checked with the prediction's; one element is written over.
        grads[0].view(-1)[0] = grads[1]
        return grads[0]

    doubles = [x.to(torch.complex128) for x in (prediction, measured, grad_out)]
    time_checked(
        benchmark,
        lambda: gradients(SOFT[way], prediction, measured, grad_out, weight),
        gradients(SOFT["where"], *doubles, weight.double()),
        tolerance=1e-5,
        # forward as above; backward: gradient read and written, prediction and measured where set
        n_bytes=bytes_of(prediction, chosen, 4, 3),
    )
