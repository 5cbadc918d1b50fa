"""The non-uniform Fourier transform as a direct sum, in any precision."""

import math

import torch
from torch import Tensor


def nufft(image: Tensor, coords: Tensor) -> Tensor:
    """Sum image(r) exp(-2 pi i sum over axes of k (r - n // 2) / n) / sqrt(pixels) over pixels r.

    Args:
        image: complex, (..., *shape).
        coords: real, (samples, ndim), cycles per field of view.

    Returns:
        complex, (..., samples).
    """
    result = image / math.sqrt(math.prod(image.shape[-coords.shape[-1] :]))
    result = result.unsqueeze(-1)  # (..., *shape, 1), then (..., *fewer axes, samples)
    for axis in reversed(range(coords.shape[-1])):
        wave = _wave(coords[:, axis], image.shape[axis - coords.shape[-1]], image.dtype)
        result = (result * wave).sum(-2)  # the last axis of the image goes first
    return result


def nufft_adjoint(kspace: Tensor, coords: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Sum kspace(k) exp(2 pi i sum over axes of k (r - n // 2) / n) / sqrt(pixels) over samples.

    Args:
        kspace: complex, (..., samples).
        coords: real, (samples, ndim), cycles per field of view.
        shape: of the image, ndim sizes.

    Returns:
        complex, (..., *shape).
    """
    letters = "xyz"[: len(shape)]
    waves = [_wave(coords[:, a], n, kspace.dtype).conj() for a, n in enumerate(shape)]
    equation = f"...m,{','.join(f'{x}m' for x in letters)}->...{letters}"
    return torch.einsum(equation, kspace, *waves) / math.sqrt(math.prod(shape))


def _wave(coords: Tensor, n: int, dtype: torch.dtype) -> Tensor:
    """Give exp(-2 pi i k (r - n // 2) / n), (n, samples)."""
    r = torch.arange(n, dtype=coords.dtype, device=coords.device) - n // 2
    angle = -2 * math.pi / n * r[:, None] * coords
    return torch.polar(torch.ones_like(angle), angle).to(dtype)
