"""Reconstruct undersampled k-space by what images have in common: edges and wavelets are sparse.

Sources: Lustig et al. 2007 (DOI 10.1002/mrm.21391); total variation with coil maps, Block et al.
2007 (DOI 10.1002/mrm.21236); shifted wavelets, Coifman and Donoho 1995
(DOI 10.1007/978-1-4612-2544-7_9).
"""

import math
from itertools import count

import torch
from torch import Tensor
from torch.nn import functional

from mrirecon.classical.encoding import Encoding
from mrirecon.classical.proximal import Descent, Proximal, proximal_gradient
from mrirecon.classical.total_variation import TotalVariationProximal
from mrirecon.classical.wavelets import (
    daubechies,
    inverse_wavelet_transform,
    n_levels_for,
    padded_size,
    wavelet_transform,
)

_SHIFT_STRIDES = (3, 5)  # odd, so that a power of 2 steps visit every row and column
PROXIMAL_STEPS = 5
"""Of the total variation's dual in each step, from where the last one stopped."""


def reconstruct_total_variation(
    kspace: Tensor,
    encoding: Encoding,
    *,
    regularisation: float = 0.005,
    is_isotropic: bool = True,
    n_iterations: int = 100,
    tolerance: float = 1e-3,
) -> Descent:
    """Find the image of few edges that fits what was measured.

    x = argmin |A x - kspace|^2 / 2 + regularisation s TV(x), with s the largest magnitude of the
    zero-filled (or gridded) image A* kspace, so that `regularisation` means the same for every
    scan. Stops where a step changes the image by `tolerance` of its norm.

    Args:
        kspace: complex, (batch, coils, rows, cols) or (batch, coils, samples).
        encoding: what was measured of the image.
        regularisation: of the total variation, 0 or more; more gives less noise, less aliasing
            and flatter patches.
        is_isotropic: take the length of the gradient, not the sum of its parts.
        n_iterations: at most, 1 or more.
        tolerance: relative change of the image at which it is done, at least 0 and below 1.

    Returns:
        `x`, the image (batch, 1, rows, cols), real if the encoding's is, and the course of its
        changes. No gradients.

    Raises:
        ValueError: an argument is not as above.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import Encoding, reconstruct_total_variation
        >>> from mrirecon.fourier import fft_centred
        >>> from mrirecon.sampling import SamplingConfig, make_mask
        >>> image = torch.zeros(1, 1, 64, 64)
        >>> image[..., 16:48, 16:48] = 1
        >>> points = SamplingConfig("variable_density_2d", acceleration=4)
        >>> mask = make_mask(points, (64, 64), seed=0)
        >>> kspace = mask * fft_centred(image)
        >>> encoding = Encoding(mask, is_real=True)
        >>> solution = reconstruct_total_variation(kspace, encoding, regularisation=1e-3)
        >>> zero_filled = encoding.adjoint(kspace)
        >>> bool((solution.x - image).norm() < 0.1 * (zero_filled - image).norm())
        True
    """
    zero_filled, step, threshold = _prepare(kspace, encoding, regularisation)
    proximal = TotalVariationProximal(
        step * threshold, n_steps=PROXIMAL_STEPS, is_isotropic=is_isotropic
    )
    return proximal_gradient(
        encoding.normal,
        zero_filled,
        proximal,
        step=step,
        n_iterations=n_iterations,
        tolerance=tolerance,
    )


def reconstruct_wavelet(
    kspace: Tensor,
    encoding: Encoding,
    *,
    regularisation: float = 0.005,
    n_moments: int = 4,
    n_levels: int = 4,
    is_shifted: bool = True,
    n_iterations: int = 100,
    tolerance: float = 1e-3,
) -> Descent:
    """Find the image of few wavelets that fits what was measured.

    x = argmin |A x - kspace|^2 / 2 + regularisation s |details of W x|_1, with the orthogonal
    wavelet transform W and s as in `reconstruct_total_variation`. The coarsest image is not
    penalised. Sizes that are not multiples of 2^n_levels are met by an image that is larger and
    free beyond the edge, so that W stays orthogonal and each step exact.

    Where the wavelets lie is arbitrary, and shows as blocks. `is_shifted` moves them at each step,
    as cycle spinning does (Coifman 1995), 0.9 to 1.5 dB more on two brains. The image then never
    quite comes to rest, and it is mostly `n_iterations` that stops it.

    Args:
        kspace: complex, (batch, coils, rows, cols) or (batch, coils, samples).
        encoding: what was measured of the image.
        regularisation: of the coefficients, 0 or more.
        n_moments: of Daubechies' wavelet, 1 to 10; 4 is db4, of 8 taps.
        n_levels: at most; fewer where the coarsest image would be smaller than the filter.
        is_shifted: take wavelets at another place in each step.
        n_iterations: at most, 1 or more.
        tolerance: relative change of the image at which it is done, at least 0 and below 1.

    Returns:
        As of `reconstruct_total_variation`.

    Raises:
        ValueError: an argument is not as above.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import Encoding, reconstruct_wavelet
        >>> from mrirecon.fourier import fft_centred
        >>> image = torch.zeros(1, 1, 64, 64)
        >>> image[..., 16:48, 16:48] = 1
        >>> mask = torch.arange(64) % 2 == 0
        >>> kspace = mask * fft_centred(image)
        >>> reconstruct_wavelet(kspace, Encoding(mask), regularisation=1e-3, n_iterations=5).x.shape
        torch.Size([1, 1, 64, 64])
    """
    if n_levels < 0:
        raise ValueError(f"n_levels: expected 0 or more, got {n_levels}")
    taps = daubechies(n_moments)
    zero_filled, step, threshold = _prepare(kspace, encoding, regularisation)
    rows, cols = zero_filled.shape[-2:]
    levels = n_levels_for((rows, cols), len(taps), n_levels)
    margin = 0, padded_size(cols, levels) - cols, 0, padded_size(rows, levels) - rows
    descent = proximal_gradient(
        lambda image: functional.pad(encoding.normal(image[..., :rows, :cols]), margin),
        functional.pad(zero_filled, margin),
        _wavelet_proximal(step * threshold, taps, levels, is_shifted=is_shifted),
        step=step,
        n_iterations=n_iterations,
        tolerance=tolerance,
    )
    return Descent(descent.x[..., :rows, :cols].contiguous(), descent.changes)


def _prepare(
    kspace: Tensor, encoding: Encoding, regularisation: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return A* kspace, the step's length and the threshold, (batch, 1, 1, 1) each of the two."""
    if not 0 <= regularisation < math.inf:
        raise ValueError(f"regularisation: expected 0 or more, got {regularisation}")
    with torch.no_grad():
        zero_filled = encoding.adjoint(kspace)
        largest = encoding.largest_eigenvalue(zero_filled)
        step = torch.where(largest > 0, largest, 1).reciprocal()
        dims = tuple(range(1, zero_filled.ndim))
        threshold = regularisation * zero_filled.abs().amax(dims, keepdim=True)
    return zero_filled, step, threshold


def _wavelet_proximal(
    threshold: Tensor, taps: tuple[float, ...], n_levels: int, *, is_shifted: bool
) -> Proximal:
    """Shorten each detail by the threshold, which is exact since W is orthogonal."""
    places = count()

    def proximal(image: Tensor) -> Tensor:
        rows, cols = (n >> n_levels for n in image.shape[-2:])
        place = next(places) if is_shifted else 0
        shift = [place * stride % 2**n_levels for stride in _SHIFT_STRIDES]
        moved = torch.roll(image, shift, (-2, -1)) if place else image
        coefficients = wavelet_transform(moved, taps, n_levels)
        coarsest = coefficients[..., :rows, :cols].clone()
        coefficients = soft_threshold(coefficients, threshold)
        coefficients[..., :rows, :cols] = coarsest
        kept = inverse_wavelet_transform(coefficients, taps, n_levels)
        return torch.roll(kept, [-n for n in shift], (-2, -1)) if place else kept

    return proximal


def soft_threshold(values: Tensor, threshold: Tensor) -> Tensor:
    """Shorten real or complex values by the threshold, those below it to 0."""
    if not values.is_complex():
        return functional.relu(values.abs() - threshold).copysign(values)
    squares = torch.addcmul(values.real.square(), values.imag, values.imag)
    squares.clamp_min_(torch.finfo(squares.dtype).tiny)
    return values * (1 - threshold * squares.rsqrt_()).clamp_min_(0.0)
