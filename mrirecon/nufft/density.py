"""Density compensation: how much of k-space each sample stands for.

Weights are areas (volumes) in units of (cycles per field of view)^ndim: samples on the Cartesian
grid have weight 1, and `Nufft(..., density=weights).grid(Nufft(image))` keeps the image's scale.

Sources: Pipe and Menon 1999
(DOI 10.1002/(SICI)1522-2594(199901)41:1<179::AID-MRM25>3.0.CO;2-V) for the iteration; Johnson and
Pipe 2009 (DOI 10.1002/mrm.21840) for a kernel as wide as the field of view asks for.
"""

import math

import torch
from torch import Tensor

from mrirecon.nufft.operator import Nufft


def density_compensation(
    coords: Tensor,
    image_shape: tuple[int, ...],
    *,
    n_iterations: int = 10,
    accuracy: float = 1e-3,
) -> Tensor:
    """Find weights of any trajectory by iterating weights <- weights / (C weights).

    C convolves along each axis with the Fejer kernel (sin(pi k) / (n sin(pi k / n)))^2 of the
    distance k between two samples: its transform is the triangle on twice the field of view,
    which spans every distance between two pixels. It is 1 at 0, so that a sample far from all
    others has weight 1 and coinciding samples share it.

    Args:
        coords: float32 or float64, (samples, ndim) or (batch, samples, ndim), [cycles per field
            of view], as of `Nufft`.
        image_shape: sizes of the image, ndim of them.
        n_iterations: of Pipe and Menon; ten bring the sums within a few per cent of 1.
        accuracy: of the transforms, as of `Nufft`.

    Returns:
        real as `coords`, (samples,) or (batch, samples), in (0, 1] to `accuracy`, without
        gradient.

    Raises:
        ValueError: n_iterations below 1, or as `Nufft`.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import density_compensation
        >>> line = torch.arange(-4.0, 4.0)[:, None]
        >>> density_compensation(line, (8,)).round(decimals=2)  # the Cartesian grid weighs 1
        tensor([1., 1., 1., 1., 1., 1., 1., 1.])
        >>> twice = torch.cat([line, line])
        >>> density_compensation(twice, (8,)).round(decimals=2)[:3]
        tensor([0.5000, 0.5000, 0.5000])
    """
    doubled = Nufft(2 * coords.detach(), tuple(2 * n for n in image_shape), accuracy, n_images=1)
    weights = iterate_density(doubled, _triangle(image_shape, coords), n_iterations)
    return weights.reshape(coords.shape[:-1])


def iterate_density(op: Nufft, window: Tensor, n_iterations: int) -> Tensor:
    """Divide weights by their convolution with a kernel, again and again.

    Args:
        op: transform of the trajectory, on an image as large as the kernel's transform.
        window: real, (*op.image_shape), the kernel's transform.
        n_iterations: at least 1.

    Returns:
        real as op.coords, (batch or 1, 1, samples).

    Raises:
        ValueError: n_iterations below 1.
    """
    if n_iterations < 1:
        raise ValueError(f"n_iterations: expected at least 1, got {n_iterations}")
    coords = op.coords.detach()
    spectrum = window.to(coords.dtype.to_complex())
    weights = torch.ones_like(coords[..., 0]).reshape(-1, 1, coords.shape[-2])
    for _ in range(n_iterations):
        spread = op(spectrum * op.adjoint(weights.to(spectrum.dtype)))
        weights = weights / spread.abs()
    return weights


def ramp_density(coords: Tensor, n_spokes: int) -> Tensor:
    """Give the weights of spokes through the centre in evenly spread directions.

    A sample at radius r stands for a step along its spoke times its part of the circle's or
    sphere's surface there. In the plane the cusp of |r| at the centre needs more: with the term of
    the Euler-Maclaurin formula (DLMF 2.10.1, B2(t) = t^2 - t + 1/6) on the samples next to it, the
    mean over an image is exact too, where plain areas are 9 % too bright for a disc of two thirds
    of the field of view sampled in steps of 1.

    Args:
        coords: float32 or float64, (samples, ndim) or (batch, samples, ndim), ndim 2 or 3,
            [cycles per field of view], one spoke after the other, each with the same number of
            evenly spaced samples on a diameter.
        n_spokes: number of spokes.

    Returns:
        real as `coords`, (samples,) or (batch, samples).

    Raises:
        ValueError: coords not 2-D or 3-D points, or not n_spokes of two or more samples.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import ramp_density
        >>> from mrirecon.sampling import radial_trajectory
        >>> coords = radial_trajectory(4, 8, (8, 8))  # four spokes of eight samples
        >>> ramp_density(coords, 4)[:8].round(decimals=2)  # of a spoke, whose centre is index 4
        tensor([3.1400, 2.3600, 1.5700, 0.7900, 0.1300, 0.7900, 1.5700, 2.3600])
    """
    ndim, n_samples = coords.shape[-1], coords.shape[-2]
    if ndim not in (2, 3):
        raise ValueError(f"coords: expected points of 2 or 3 axes, got {ndim}")
    if n_spokes < 1 or n_samples % n_spokes or n_samples < 2 * n_spokes:
        raise ValueError(
            f"n_spokes: expected a divisor of {n_samples} samples, of 2 or more each, "
            f"got {n_spokes}"
        )
    spokes = coords.unflatten(-2, (n_spokes, -1))
    step = (spokes[..., 1, :] - spokes[..., 0, :]).norm(dim=-1)[..., None]
    radius = spokes.norm(dim=-1) / step  # (..., spokes, samples of a spoke), in steps
    if ndim == 2:
        cusp = (1 - radius).clamp(min=0) * (radius**2 - radius + 1 / 6)
        integral = 2 * math.pi * (radius + cusp)
    else:
        integral = 4 * math.pi * radius**2
    return (integral * step**ndim / (2 * n_spokes)).flatten(-2)  # a spoke has two ends


def _triangle(image_shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Give the Fejer kernel's transform on twice the field of view, scaled for `Nufft` there.

    Returns:
        real, (*twice the shape).
    """
    window = torch.ones((), dtype=like.dtype, device=like.device)
    for n in image_shape:
        pixel = torch.arange(-n, n, dtype=like.dtype, device=like.device)
        window = window[..., None] * (2 * (1 - pixel.abs() / n))
    return window
