"""Arguments of torchkbnufft, made those of `Nufft`."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mrirecon.nufft.units import from_torchkbnufft


def radians_to_coords(omega: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Wrap a trajectory to [-pi, pi] and convert it, in the precision of a complex dtype."""
    turns = (omega.detach() / (2 * math.pi)).round()  # 0 for all that is in range
    wrapped = torch.where(turns == 0, omega, omega - 2 * math.pi * turns)
    return from_torchkbnufft(wrapped.to(dtype.to_real()), shape).contiguous()


def oversampled(shape: tuple[int, ...], grid_size: Sequence[int] | None) -> tuple[int, ...]:
    """Give the sizes of torchkbnufft's grid: those asked for, or twice the image's."""
    return tuple(2 * n for n in shape) if grid_size is None else tuple(int(n) for n in grid_size)


def n_points(norm: str | None, grid: tuple[int, ...]) -> int:
    """Give what sums are divided by the root of."""
    if norm not in (None, "ortho"):
        raise ValueError(f'norm: expected None or "ortho", got {norm!r}')
    return 1 if norm is None else math.prod(grid)


def as_complex(x: Tensor) -> Tensor:
    """View a real tensor with a last axis of 2 as complex."""
    return x if x.is_complex() else torch.view_as_complex(x.contiguous())


def require_no_matrices(interp_mats: object) -> None:
    """Refuse the sparse matrices of torchkbnufft."""
    if interp_mats is not None:
        raise ValueError("interp_mats: expected None, since plans take the place of matrices")
