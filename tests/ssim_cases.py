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
HARD = ["bright and flat", "far from zero", "bright block on dark", "negative"]


def make_pair(shape: tuple[int, ...], dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    target = torch.rand(shape, dtype=dtype)
    return target + 0.2 * torch.randn(shape, dtype=dtype), target


def tolerance_of(dtype: torch.dtype) -> float:
    """Allow the result's own rounding in float32, that of sums of 11 x 11 terms in float64."""
    eps = torch.finfo(dtype).eps
    return eps if dtype == torch.float32 else 50 * eps * 121**0.5


def hard_pair(case: str) -> tuple[Tensor, Tensor]:
    """Images on which a variance taken as a difference of float32 means is lost."""
    noise = torch.randn(2, 40, 48)
    target = {
        "bright and flat": 1 - 1e-3 * torch.rand(40, 48),
        "far from zero": 100 + torch.rand(40, 48),
        "bright block on dark": (torch.arange(48) > 24) * 0.98 + 1e-3 * torch.rand(40, 48),
        "negative": torch.rand(40, 48) - 0.7,
    }[case]
    return target + (2e-3 * noise[0]).float(), target


def assert_relative(found: Tensor, expected: Tensor, tolerance: float) -> None:
    error = torch.linalg.vector_norm(found.double() - expected)
    assert error <= tolerance * torch.linalg.vector_norm(expected)
