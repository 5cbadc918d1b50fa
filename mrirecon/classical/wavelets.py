"""Orthogonal wavelet transform of images on torch tensors, periodic at the edges.

Sources: Daubechies 1988 (DOI 10.1002/cpa.3160410705) for the filters; Mallat 1989
(DOI 10.1109/34.192463) for the transform.
"""

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor


@cache
def daubechies(n_moments: int) -> tuple[float, ...]:
    """Compute Daubechies' low-pass filter with n vanishing moments, 2 n taps of norm 1.

    |H|^2 of a half-band filter of most zeros at the highest frequency is a polynomial in
    y = sin^2(w / 2), sum over k < n of binomial(n - 1 + k, k) y^k; H takes of each pair of its
    roots the one inside the unit circle. 4 moments are the filter called db4, of 8 taps.

    Args:
        n_moments: 1 (Haar) to 10; beyond that the roots lose digits.

    Raises:
        ValueError: n_moments not as above.

    Examples:
        >>> from mrirecon.classical import daubechies
        >>> [round(tap, 4) for tap in daubechies(2)]
        [0.483, 0.8365, 0.2241, -0.1294]
    """
    if not 1 <= n_moments <= 10:
        raise ValueError(f"n_moments: expected 1 to 10, got {n_moments}")
    polynomial = [math.comb(n_moments - 1 + k, k) for k in range(n_moments)]
    taps = np.ones(1)
    for _ in range(n_moments):
        taps = np.convolve(taps, [1.0, 1.0])
    for root in np.roots(polynomial[::-1]):
        z = np.roots([1.0, 4 * root - 2, 1.0])  # y = (2 - z - 1 / z) / 4
        taps = np.convolve(taps, [1.0, -z[np.argmin(abs(z))]])
    taps = taps.real
    return tuple((taps / np.linalg.norm(taps)).tolist())


def padded_size(n: int, n_levels: int) -> int:
    """Give the least multiple of 2^n_levels that is n or more."""
    return math.ceil(n / 2**n_levels) * 2**n_levels


def n_levels_for(shape: tuple[int, int], n_taps: int, most: int) -> int:
    """Choose the number of levels, at most `most`, so that the coarsest image holds a filter."""
    levels = 0
    while levels < most and padded_size(min(shape), levels + 1) // 2**levels >= 2 * n_taps:
        levels += 1
    return levels


def wavelet_transform(image: Tensor, taps: tuple[float, ...], n_levels: int) -> Tensor:
    """Transform images to wavelet coefficients. Adjoint and inverse: `inverse_wavelet_transform`.

    Coefficients lie where Mallat 1989 draws them: the coarsest image first, in the corner of
    rows / 2^n_levels x cols / 2^n_levels, the details of each level around it.

    Args:
        image: real or complex, (batch, 1, rows, cols); rows and cols multiples of 2^n_levels, so
            large that the coarsest level's input holds the filter.
        taps: low-pass filter, as of `daubechies`.
        n_levels: 0 or more.

    Returns:
        Coefficients, the shape and dtype of `image`.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import daubechies, inverse_wavelet_transform, wavelet_transform
        >>> taps = daubechies(4)
        >>> image = torch.linspace(0, 1, 64 * 64).reshape(1, 1, 64, 64)
        >>> coefficients = wavelet_transform(image, taps, n_levels=2)
        >>> back = inverse_wavelet_transform(coefficients, taps, n_levels=2)
        >>> torch.allclose(back, image, atol=1e-5)
        True
    """
    planes = _as_planes(image, taps, n_levels)  # (batch, rows, cols, parts)
    out = planes.clone()
    for level in range(n_levels):
        rows, cols = planes.shape[1] >> level, planes.shape[2] >> level
        block = _analyse(out[:, :rows, :cols], taps)
        out[:, :rows, :cols] = _analyse(block.transpose(1, 2), taps).transpose(1, 2)
    return _as_image(out, image)


def inverse_wavelet_transform(
    coefficients: Tensor, taps: tuple[float, ...], n_levels: int
) -> Tensor:
    """Transform wavelet coefficients back to images; arguments as of `wavelet_transform`.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import daubechies, inverse_wavelet_transform
        >>> coefficients = torch.zeros(1, 1, 16, 16)
        >>> coefficients[..., :8, :8] = 1  # a constant coarse image
        >>> image = inverse_wavelet_transform(coefficients, daubechies(2), n_levels=1)
        >>> image[0, 0, 0, :3].round(decimals=4)
        tensor([0.5000, 0.5000, 0.5000])
    """
    planes = _as_planes(coefficients, taps, n_levels)
    out = planes.clone()
    for level in reversed(range(n_levels)):
        rows, cols = planes.shape[1] >> level, planes.shape[2] >> level
        block = _synthesise(out[:, :rows, :cols].transpose(1, 2), taps)
        out[:, :rows, :cols] = _synthesise(block.transpose(1, 2), taps)
    return _as_image(out, coefficients)


def _analyse(planes: Tensor, taps: tuple[float, ...]) -> Tensor:
    """Split (batch, n, k, parts) along its second axis: low frequencies, then high ones.

    low[j] = sum over i of taps[i] planes[2 j + i], all indices modulo n. Along the second axis
    each step adds whole rows; along the last it would take three times as long.
    """
    n, half = planes.shape[1], planes.shape[1] // 2
    around = torch.cat([planes, planes[:, : len(taps) - 2]], dim=1)
    out = planes.new_zeros(planes.shape)
    for i, (low, high) in enumerate(zip(taps, _mirror(taps), strict=True)):
        part = around[:, i : i + n : 2]
        out[:, :half].add_(part, alpha=low)
        out[:, half:].add_(part, alpha=high)
    return out


def _synthesise(bands: Tensor, taps: tuple[float, ...]) -> Tensor:
    """Apply the adjoint of `_analyse`, which is its inverse."""
    n, half = bands.shape[1], bands.shape[1] // 2
    around = bands.new_zeros(len(bands), n + len(taps) - 2, *bands.shape[2:])
    for i, (low, high) in enumerate(zip(taps, _mirror(taps), strict=True)):
        part = around[:, i : i + n : 2]
        part.add_(bands[:, :half], alpha=low).add_(bands[:, half:], alpha=high)
    around[:, : len(taps) - 2] += around[:, n:]
    return around[:, :n]


def _mirror(taps: tuple[float, ...]) -> tuple[float, ...]:
    """Give the high-pass filter: the taps backwards with alternating signs."""
    return tuple((-1) ** i * tap for i, tap in enumerate(reversed(taps)))


def _as_planes(image: Tensor, taps: tuple[float, ...], n_levels: int) -> Tensor:
    """View (batch, 1, rows, cols) as real (batch, rows, cols, parts), and check its sizes."""
    shape = tuple(image.shape)
    if image.ndim != 4 or shape[1] != 1:
        raise ValueError(f"image: expected (batch, 1, rows, cols), got {shape}")
    if n_levels and any(
        n % 2**n_levels or n >> (n_levels - 1) < len(taps) for n in image.shape[-2:]
    ):
        raise ValueError(
            f"image: expected rows and cols that are multiples of {2**n_levels} and "
            f"{len(taps) * 2 ** (n_levels - 1)} or more for {n_levels} levels, got {shape}"
        )
    parts = torch.view_as_real(image) if image.is_complex() else image[..., None]
    return parts[:, 0]


def _as_image(planes: Tensor, like: Tensor) -> Tensor:
    return torch.view_as_complex(planes)[:, None] if like.is_complex() else planes[:, None, ..., 0]
