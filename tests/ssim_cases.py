"""Images and tolerances that the tests of SSIM share."""

import torch
from torch import Tensor

from mrirecon.ops.ssim import WindowName

WINDOWS: list[WindowName] = ["uniform", "gaussian"]
SIZES = {"uniform": 7, "gaussian": 11}
DTYPES = [torch.float32, torch.float64]
# smallest, around the pack and tile sizes, odd and even, batch axes, empty batch
SHAPES = [
    (11, 11),
    (2, 11, 12),
    (1, 17, 31),
    (2, 3, 16, 40),
    (3, 35, 18),
    (0, 16, 16),
    (2, 0, 16, 16),
]


def make_pair(shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    target = torch.rand(shape, dtype=dtype)
    return target + 0.2 * torch.randn(shape, dtype=dtype), target


def tolerance_of(dtype: torch.dtype) -> float:
    """Allow the result's own rounding in float32, that of sums of 11 x 11 terms in float64."""
    eps = torch.finfo(dtype).eps
    return eps if dtype == torch.float32 else 50 * eps * 121**0.5
