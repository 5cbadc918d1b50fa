"""The interpolation kernel of the NUFFT: Kaiser-Bessel, its error, and its polynomials.

Sources: Beatty, Nishimura and Pauly 2005 (DOI 10.1109/TMI.2005.848376) for the kernel at low
oversampling; Fessler and Sutton 2003 (DOI 10.1109/TSP.2002.807005) for the error.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from mrirecon.ops.nufft import MAX_WIDTH

_ALIASES = 6  # grid periods on each side; the kernel's transform has decayed by then
_SHAPE_FACTORS = torch.linspace(0.88, 1.0, 25, dtype=torch.float64)


def kernel(x: Tensor, width: int, shape: float) -> Tensor:
    """Evaluate I0(shape sqrt(1 - (2 x / width)^2)) / I0(shape).

    Args:
        x: float64, any shape, distance in grid points, at most `width` / 2.
        width: of the kernel, in grid points.
        shape: how fast it falls off; Beatty's beta.
    """
    root = (1 - (2 * x / width) ** 2).clamp(min=0).sqrt()
    # i0 by its scaled form, which does not overflow.
    ratio = torch.special.i0e(shape * root) / torch.special.i0e(x.new_tensor(shape))
    return ratio * torch.exp(shape * (root - 1))


def kernel_transform(frequency: Tensor, width: int, shape: Tensor) -> Tensor:
    """Evaluate the Fourier transform of `kernel` (Beatty 2005, equation 4).

    Args:
        frequency: float64, in cycles per grid point.
        width: of the kernel, in grid points.
        shape: float64, as in `kernel`; broadcast with `frequency`.
    """
    square = shape**2 - (math.pi * width * frequency) ** 2
    root = square.abs().sqrt()
    # sinh and I0 without their common factor exp(shape), which overflows.
    rising = (torch.exp(root - shape) - torch.exp(-root - shape)) / (2 * root)
    falling = torch.sinc(root / math.pi) * torch.exp(-shape)
    return width / torch.special.i0e(shape) * torch.where(square > 0, rising, falling)


def squared_errors(width: int, oversampling: float, shapes: Tensor, n_pixels: int = 33) -> Tensor:
    """Give the squared relative l2 error of an image of one pixel, for pixels along an axis.

    It is the ratio of the aliases of the kernel's transform to the transform there (Fessler and
    Sutton 2003, equation 29, without scaling per sample).

    Args:
        width: of the kernel, in grid points.
        oversampling: grid size over image size.
        shapes: float64, (n,), as in `kernel`.
        n_pixels: from the centre to the edge, inclusive; the last is the worst.

    Returns:
        float64, (n, n_pixels).
    """
    pixels = torch.linspace(0, 0.5 / oversampling, n_pixels, dtype=torch.float64)
    periods = torch.tensor([m for m in range(-_ALIASES, _ALIASES + 1) if m != 0])
    shape = shapes[:, None, None]
    aliases = kernel_transform(pixels + periods[:, None], width, shape).square().sum(1)
    return aliases / kernel_transform(pixels, width, shape)[:, 0].square()


def amplification(width: int, oversampling: float, shape: Tensor) -> float:
    """Give how much rounding errors on the grid grow: apodisation undoes a small transform.

    Args:
        width: of the kernel, in grid points.
        oversampling: grid size over image size.
        shape: float64, (1,), as in `kernel`.
    """
    frequency = (torch.arange(64, dtype=torch.float64) + 0.5) / 128
    on_image = kernel_transform(frequency / oversampling, width, shape)
    on_grid = kernel_transform(frequency, width, shape)
    return float((1 / on_image).square().mean().sqrt() * on_grid.square().mean().sqrt())


@lru_cache(maxsize=4096)
def design(width: int, oversampling: float) -> float:
    """Find the shape of the kernel whose worst pixel is best, near Beatty's (2005, equation 5).

    Args:
        width: of the kernel, in grid points.
        oversampling: grid size over image size.
    """
    shapes = _SHAPE_FACTORS * math.pi * width * (1 - 0.5 / oversampling)
    return float(shapes[squared_errors(width, oversampling, shapes).amax(-1).argmin()])


def taps(width: int, shape: float) -> Tensor:
    """Fit a polynomial to each tap of the kernel, at the Chebyshev nodes.

    Tap j of a sample stands at a distance j + offset + (1 - width) / 2 grid points from it. The
    degree keeps the fit's error below a fiftieth of the kernel's, up to an oversampling of 2.

    Args:
        width: number of taps.
        shape: as in `kernel`.

    Returns:
        float64, (degree + 1, MAX_WIDTH), coefficients of powers of `offset` in [-1/2, 1/2), the
        highest first; zero for taps from `width` on; if half of MAX_WIDTH is enough, twice.
    """
    degree = (width + 1) // 2 + 5  # tap_degree of csrc/nufft.h
    left = torch.arange(width, dtype=torch.float64) + (1 - width) / 2
    steps = torch.arange(degree + 1, dtype=torch.float64)
    nodes = torch.cos(math.pi * (steps + 0.5) / (degree + 1)) / 2
    values = kernel(left + nodes[:, None], width, shape)  # (degree + 1, width)
    # In units of half the range, in which the Vandermonde matrix is well conditioned.
    coefficients = torch.linalg.solve(torch.linalg.vander(2 * nodes), values)
    padded = torch.zeros(degree + 1, MAX_WIDTH, dtype=torch.float64)
    padded[:, :width] = coefficients * (2.0**steps)[:, None]
    half = MAX_WIDTH // 2
    if width <= half:
        padded[:, half:] = padded[:, :half]
    return padded.flip(0)
