"""Reconstruct partial Fourier scans, whose lines of one side tell those left out on the other.

The k-space of a real image is its own mirror image, conjugated; that of a real image times a smooth
phase is so but for the phase, which the lines on both sides of the centre tell.
Sources: homodyne, Noll, Nishimura and Macovski 1991 (DOI 10.1109/42.79473); projection onto convex
sets, Haacke, Lindskog and Lin 1991 (DOI 10.1016/0022-2364(91)90253-P).
"""

import torch
from torch import Tensor

from mrirecon.classical.encoding import Encoding


def reconstruct_homodyne(kspace: Tensor, encoding: Encoding) -> Tensor:
    """Weigh lines by whether their mirror image was measured, and take the part along the phase.

    Image = Re(A* W kspace e^(-i phase)) e^(i phase), where the weights of a line and of its mirror
    image add up to 2: a line that has none counts twice. Where both were measured, they grow
    linearly from one edge of the symmetric lines to the other, so that they have no step, which
    would ring. The phase is that of the symmetric lines alone. Lines left out on both sides stay
    0. It is exact where the phase is; where that turns within some pixels, signal is lost.

    Args:
        kspace: complex, (batch, coils, rows, cols), centred, used where the mask is set.
        encoding: what was measured: lines along one axis.

    Returns:
        Complex or, where the encoding's image is, real, (batch, 1, rows, cols).

    Raises:
        ValueError: no mask of lines, or several coils without maps.
    """
    lines = _lines_of(encoding)
    image = encoding.adjoint(kspace * _homodyne_weights(lines).to(kspace.dtype.to_real()))
    if encoding.is_real:
        return image
    return _along(image, _symmetric_phase(kspace, encoding, lines))


def reconstruct_pocs(
    kspace: Tensor, encoding: Encoding, *, n_iterations: int = 20, tolerance: float = 1e-3
) -> Tensor:
    """Find an image of the known phase that fits what was measured, by projections in turn.

    x <- u + A* (kspace - A u) for the part u of x along the phase of the symmetric lines, from
    zeros where nothing was measured. With one coil, or maps of sum |map|^2 = 1, this never leads
    further away; what was measured of the result is what was measured.

    Args:
        kspace: as of `reconstruct_homodyne`.
        encoding: likewise.
        n_iterations: at most, 1 or more.
        tolerance: change relative to its norm at which an image is done, 0 or more.

    Returns:
        As of `reconstruct_homodyne`.

    Raises:
        ValueError: as of `reconstruct_homodyne`, or n_iterations below 1.
    """
    if n_iterations < 1:
        raise ValueError(f"n_iterations: expected 1 or more, got {n_iterations}")
    lines = _lines_of(encoding)
    phase = None if encoding.is_real else _symmetric_phase(kspace, encoding, lines)
    image = zero_filled = encoding.adjoint(kspace)
    is_open = torch.ones((len(image), 1, 1, 1), dtype=torch.bool, device=image.device)
    for _ in range(n_iterations):
        along = image if phase is None else _along(image, phase)
        nearer = along + zero_filled - encoding.normal(along)
        change, length = (
            torch.linalg.vector_norm(x, dim=(1, 2, 3), keepdim=True)
            for x in (nearer - image, nearer)
        )
        image = torch.where(is_open, nearer, image)
        is_open = is_open & ~(change <= tolerance * length)
        if not is_open.any():
            break
    return image


def _along(image: Tensor, phase: Tensor) -> Tensor:
    """Keep the part of an image along a phase, complex of magnitude 1."""
    return (image * phase.conj()).real * phase


def _symmetric_phase(kspace: Tensor, encoding: Encoding, lines: Tensor) -> Tensor:
    """Give the phase of the lines that were measured with all those between them and the centre.

    They fade out to both ends (Hann), so that the phase does not ring.
    """
    n, dim = max(lines.shape[-2:]), _axis_of(lines)
    both = (lines & _mirror(lines)).to(kspace.dtype.to_real())
    distance = (torch.arange(n, device=lines.device) - n // 2).abs()
    distance = distance.view(-1, 1) if dim == -2 else distance  # as `lines`
    # Of the nearest line that was left out on one side or the other; n where there is none.
    reach = torch.where(both > 0, n, distance).amin((-2, -1), keepdim=True)
    window = torch.where(distance < reach, torch.cos(torch.pi / 2 * distance / reach).square(), 0)
    smooth = encoding.adjoint(kspace * window.to(both))
    length = smooth.abs()
    return torch.where(length > 0, smooth / torch.where(length > 0, length, 1), 1)


def _homodyne_weights(lines: Tensor) -> Tensor:
    """Give weights that add up to 2 with those of the mirror image, 0 where not measured.

    Args:
        lines: bool, (batch or 1, rows, 1) or (batch or 1, 1, cols).

    Returns:
        Float64, (batch or 1, 1, ...), for (batch, coils, rows, cols).
    """
    n, dim = max(lines.shape[-2:]), _axis_of(lines)
    place = torch.arange(n, device=lines.device).double() - n // 2
    place = place.view(-1, 1) if dim == -2 else place
    below = -torch.where(lines, place, 0).amin((-2, -1), keepdim=True)
    below = below.clamp_max((n - 1) // 2)  # what is its own mirror image leans to neither side
    above = torch.where(lines, place, 0).amax((-2, -1), keepdim=True)
    reach = torch.minimum(below, above) + 1
    ramp = (1 + (above - below).sign() * place / reach).clamp_max(2)
    ramp = torch.where(lines, ramp, 0)
    total = ramp + _mirror(ramp)
    return (2 * ramp / torch.where(total > 0, total, 1))[:, None]


def _mirror(lines: Tensor) -> Tensor:
    """Give at each line what is at its mirror image about n // 2, the edge of an even n at its own.

    The line -n / 2 of an even n is its own mirror image, as k-space is periodic.
    """
    dim = _axis_of(lines)
    n = lines.shape[dim]
    flipped = lines.flip(dim)
    return flipped if n % 2 else flipped.roll(1, dim)


def _axis_of(lines: Tensor) -> int:
    return -2 if lines.shape[-2] > 1 else -1


def _lines_of(encoding: Encoding) -> Tensor:
    """Give the mask of lines, bool, (batch or 1, rows or 1, cols or 1), one of them 1."""
    mask = encoding.sampled
    if not isinstance(mask, Tensor):
        raise ValueError("sampled: expected a mask of lines, got a trajectory")
    lines = mask.reshape(1, 1, -1) if mask.ndim == 1 else mask.reshape(-1, *mask.shape[-2:])
    if min(lines.shape[-2:]) > 1:
        raise ValueError(f"sampled: expected lines along one axis, got {tuple(mask.shape)}")
    return lines
