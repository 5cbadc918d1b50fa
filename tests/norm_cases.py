"""Features and tolerances that the tests of instance norm share."""

from typing import NamedTuple

import torch
from torch import Tensor

FORMATS = [torch.contiguous_format, torch.channels_last]
DTYPES = [torch.float32, torch.float64, torch.bfloat16]


class Case(NamedTuple):
    """Sizes of features, the border, and whether slope, keep and residual are given."""

    batch: int
    channels: int
    rows: int
    cols: int
    pad: int = 0
    whole: bool = True


# Fewer channels than a register, more, and a multiple of it; rows below and above one chunk of
# 8192 numbers; borders as wide as they may be; one channel, one image, one pixel.
CASES = [
    Case(2, 3, 5, 7),
    Case(2, 19, 6, 37, 1),
    Case(1, 32, 40, 33, 3),
    Case(3, 8, 4, 4, 3),
    Case(1, 1, 70, 130, 2),
    Case(1, 16, 18, 64, 0, whole=False),
    Case(2, 5, 2, 3, 1, whole=False),
    Case(2, 4, 1, 1),
    Case(1, 600, 3, 17, 1),
]


class Operands(NamedTuple):
    """Arguments of `instance_norm`, and a gradient to its output."""

    x: Tensor
    slope: Tensor | None
    keep: Tensor | None
    residual: Tensor | None
    grad_out: Tensor

    def exact(self) -> "Operands":
        """Return the same numbers in float64."""
        return Operands(*(None if each is None else each.detach().double() for each in self))


def make(
    case: Case, dtype: torch.dtype, memory_format: torch.memory_format = torch.contiguous_format
) -> Operands:
    real = torch.float32 if dtype == torch.bfloat16 else dtype
    shape = (case.batch, case.channels, case.rows, case.cols)
    out_shape = (*shape[:2], case.rows + 2 * case.pad, case.cols + 2 * case.pad)

    def draw(size: tuple[int, ...]) -> Tensor:
        numbers = torch.randn(size, dtype=torch.float64).to(dtype)
        return numbers.contiguous(memory_format=memory_format)

    x = (2 * draw(shape) + 3).contiguous(memory_format=memory_format)
    residual, grad_out = draw(out_shape), draw(out_shape)
    if not case.whole:
        return Operands(x, None, None, None, grad_out)
    keep = (torch.rand(shape[:2]) < 0.7).to(real) / 0.7
    return Operands(x, torch.tensor([0.25], dtype=real), keep, residual, grad_out)


def assert_near(found: Tensor, expected: Tensor, dtype: torch.dtype) -> None:
    """Allow 16 roundings of the largest number: x is 3 from 0, and sums round at each term."""
    eps = torch.finfo(dtype).eps
    assert found.shape == expected.shape
    largest = expected.abs().max().item() if expected.numel() else 0.0
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=16 * eps * max(1.0, largest))
