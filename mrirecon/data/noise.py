"""Signal-to-noise ratio of magnitude images and of measured k-space, with the way it was found.

Sources: Gudbjartsson and Patz 1995 (DOI 10.1002/mrm.1910340618) for magnitudes: the background has
mean square 2 sigma^2, and signal is corrected by as much; Donoho and Johnstone 1994
(DOI 10.1093/biomet/81.3.425) for noise from the finest detail; Roemer et al. 1990
(DOI 10.1002/mrm.1910160203) for coils weighted by their noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mrirecon.data.readers import Image
from mrirecon.data.readers.measured import Kspace
from mrirecon.fourier import ifft_centred

SIGNAL_LEVEL = 0.2
"""Pixels from this part of the 99.5th percentile on are signal."""
CORNER = 0.1
"""Side of the corners that are taken for background, as a part of the image's."""
EDGE = 0.8
"""K-space from this part of its reach on along both axes is taken for noise."""
_MOST_SLICES = 8
_LEAST_SAMPLES = 64
_MOST_ZEROS = 0.1
_RAYLEIGH_RATIO = 1.913  # mean over standard deviation of the magnitude of complex noise
_MEDIAN_OF_NORMAL = 0.6745  # of |x| over the standard deviation
_RAYLEIGH_SPREAD = 1.25
"""Factor by which the ratio may differ: interpolation leaves it, several coils raise it."""


@dataclass(frozen=True)
class Snr:
    """Signal over the standard deviation of noise (of the real part)."""

    value: float | None
    """None where it cannot be told."""
    method: str
    """How it was found, or why not."""
    is_lower_bound: bool = False
    """Whether signal passed for noise, so that the ratio is this or higher."""


def magnitude_snr(images: Sequence[Image]) -> Snr:
    """Estimate the ratio of magnitude images from their background, or from their finest detail.

    The background counts where it has the distribution of one channel's noise; where it was set to
    0, is coarser than the noise or of several coils, the finest diagonal detail inside the object
    does, in which structure passes for noise.

    Args:
        images: (rows, cols) each, 0 or more; a few of them are looked at.

    Returns:
        The median over slices.
    """
    chosen = np.linspace(0, len(images) - 1, min(len(images), _MOST_SLICES)).astype(int)
    finite = [np.nan_to_num(images[i].astype(np.float64), posinf=0, neginf=0) for i in chosen]
    corners = [_darkest_corner(image) for image in finite]
    background = np.concatenate(corners)
    if _is_noise(background):
        squares = [np.square(corner).mean() / 2 for corner in corners]
        method = "background (Rayleigh), signal corrected (Rician)"
    else:
        squares = [_detail_square(image) for image in finite]
        method = "finest detail of the object (a lower bound, unless images were interpolated)"
    ratios = [
        _signal_square(image) / square - 2
        for image, square in zip(finite, squares, strict=True)
        if square > 0
    ]
    if not ratios:
        return Snr(None, "no noise in the images")
    is_lower_bound = method.startswith("finest")
    return Snr(float(np.sqrt(max(float(np.median(ratios)), 0.0))), method, is_lower_bound)


def kspace_snr(kspace: Kspace, noise: Kspace | None) -> Snr:
    """Estimate the ratio of the coils' combination weighted by their noise.

    Args:
        kspace: (coils, rows, cols) of a slice, fully sampled up to empty edges, centre at n // 2.
        noise: (coils, samples) received without excitation; None takes the corners of k-space, in
            which signal is left, so that the ratio is at least what it says.
    """
    if noise is not None:
        deviation = np.sqrt(np.square(np.abs(noise)).mean(axis=1) / 2)
        method = "noise scan"
    else:
        samples = _outer_samples(kspace)
        if samples.shape[1] < _LEAST_SAMPLES:
            return Snr(None, "too small for an edge of k-space")
        # the median of |noise| is sqrt(ln 4) sigma, and keeps out the few samples with signal
        deviation = np.median(np.abs(samples), axis=1) / np.sqrt(np.log(4))
        method = "edge of k-space (a lower bound)"
    if not (deviation > 0).all():
        return Snr(None, f"no noise in a coil ({method})")
    images = ifft_centred(torch.from_numpy(kspace)).numpy() / deviation[:, None, None]
    square = _signal_square(np.sqrt(np.square(np.abs(images)).sum(axis=0)))
    ratio = float(np.sqrt(max(square - 2 * len(kspace), 0)))
    return Snr(ratio, method, is_lower_bound=noise is None)


def _signal_square(image: NDArray[np.float64]) -> float:
    """Give the mean square of the pixels that show something."""
    shown = image[image >= SIGNAL_LEVEL * np.percentile(image, 99.5)]
    return float(np.square(shown).mean()) if shown.size else 0.0


def _is_noise(background: NDArray[np.float64]) -> bool:
    """Tell whether a background is the magnitude of complex noise.

    Whole numbers have more zeros than that where the noise is below one grey level.
    """
    if background.size < _LEAST_SAMPLES or (background == 0).mean() > _MOST_ZEROS:
        return False
    ratio = float(background.mean() / max(background.std(), 1e-30)) / _RAYLEIGH_RATIO
    return 1 / _RAYLEIGH_SPREAD < ratio < _RAYLEIGH_SPREAD


def _detail_square(image: NDArray[np.float64]) -> float:
    """Give the variance of noise by the median of the finest diagonal differences in the object."""
    rows, cols = (n // 2 * 2 for n in image.shape)
    blocks = image[:rows, :cols].reshape(rows // 2, 2, cols // 2, 2)
    detail = (blocks[:, 0, :, 0] - blocks[:, 0, :, 1] - blocks[:, 1, :, 0] + blocks[:, 1, :, 1]) / 2
    shown = blocks.min(axis=(1, 3)) >= SIGNAL_LEVEL * np.percentile(image, 99.5)
    if shown.sum() < _LEAST_SAMPLES:
        return 0.0
    return float(np.median(np.abs(detail[shown])) / _MEDIAN_OF_NORMAL) ** 2


def _darkest_corner(image: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, cols = (max(1, int(CORNER * n)) for n in image.shape)
    corners = [
        image[:rows, :cols],
        image[:rows, -cols:],
        image[-rows:, :cols],
        image[-rows:, -cols:],
    ]
    return min(corners, key=lambda corner: float(np.square(corner).mean())).ravel()


def _outer_samples(kspace: Kspace) -> Kspace:
    """Take the corners of what was measured, (coils, samples)."""
    measured: NDArray[np.bool_] = np.any(kspace != 0, axis=0)
    far = []
    for axis in (0, 1):
        n = measured.shape[axis]
        distance = np.abs(np.arange(n) - n // 2)
        reach = distance[measured.any(axis=1 - axis)].max(initial=0)
        far.append(distance >= EDGE * reach)
    return kspace[:, far[0][:, None] & far[1] & measured]
