"""Total variation of images, and the image of less of it nearest to a given one.

Sources: Rudin, Osher and Fatemi 1992 (DOI 10.1016/0167-2789(92)90242-F); fast gradient projection
on the dual, Beck and Teboulle 2009 (DOI 10.1109/TIP.2009.2028250).
"""

import math

import torch
from torch import Tensor

_DIFFERENCE_NORM = 4.0  # bound on |D|^2 of differences along one axis


def total_variation(image: Tensor, *, is_isotropic: bool = True) -> Tensor:
    """Sum the magnitudes of the differences between neighbouring pixels.

    TV = sum of sqrt(|d_rows|^2 + |d_cols|^2), or of |d_rows| + |d_cols| if not isotropic, complex
    differences to the next pixel, 0 at the last row and column; of a volume along the depth, too.

    Args:
        image: real or complex, (batch, 1, rows, cols) or (batch, 1, depth, rows, cols).
        is_isotropic: see above.

    Returns:
        Real, (batch,).

    Examples:
        >>> import torch
        >>> from mrirecon.classical import total_variation
        >>> image = torch.zeros(1, 1, 8, 8)
        >>> image[..., 4:] = 1  # one edge, 8 pixels long
        >>> total_variation(image)
        tensor([8.])
    """
    squares = _squared_lengths(_differences(_to_planes(image)), is_isotropic=is_isotropic)
    return squares.sqrt().sum(0).flatten(1).sum(1)


class TotalVariationProximal:
    """v -> argmin over u of |u - v|^2 / 2 + threshold TV(u), to a few steps from the last call.

    With the differences D the solution is v - D* p for the dual p, |p| <= threshold, that makes
    |v - D* p| least. It hardly changes between calls of one reconstruction, so that it is kept,
    and a few accelerated steps of projected gradient each suffice.
    """

    def __init__(self, threshold: Tensor, *, n_steps: int, is_isotropic: bool = True) -> None:
        """Start from a dual of 0.

        Args:
            threshold: real, (batch, 1, ...), of as many axes as the image, 0 or more.
            n_steps: of each call, 1 or more.
            is_isotropic: as in `total_variation`.
        """
        self._threshold = threshold
        self._n_steps = n_steps
        self._is_isotropic = is_isotropic
        self._dual: Tensor | None = None  # (differences, parts, batch, 1, rows, cols)

    def __call__(self, image: Tensor) -> Tensor:
        """Take n_steps more."""
        planes = _to_planes(image)
        n_axes = planes.ndim - 3
        last = planes.new_zeros(n_axes, *planes.shape) if self._dual is None else self._dual
        ahead, momentum = last, 1.0
        for _ in range(self._n_steps):
            slope = _differences(planes - _adjoint_differences(ahead))
            dual = self._shorten(torch.add(ahead, slope, alpha=1 / (n_axes * _DIFFERENCE_NORM)))
            momentum, before = (1 + math.sqrt(1 + 4 * momentum**2)) / 2, momentum
            ahead = torch.lerp(last, dual, 1 + (before - 1) / momentum)
            last = dual
        self._dual = last
        return _from_planes(planes - _adjoint_differences(last))

    def _shorten(self, dual: Tensor) -> Tensor:
        """Project onto duals no longer than the threshold."""
        squares = _squared_lengths(dual, is_isotropic=self._is_isotropic)
        squares.clamp_min_(torch.finfo(squares.dtype).tiny)  # so that 0 / 0 is 0
        return dual * (self._threshold * squares.rsqrt_()).clamp_max_(1.0)[:, None]


def _to_planes(image: Tensor) -> Tensor:
    """Give real and imaginary parts each their plane, which is the faster layout for sums.

    Returns:
        Real, (parts, batch, 1, rows, cols), or of volumes one axis more.
    """
    return torch.stack([image.real, image.imag]) if image.is_complex() else image[None]


def _from_planes(planes: Tensor) -> Tensor:
    return torch.complex(planes[0], planes[1]) if len(planes) == 2 else planes[0]


def _differences(planes: Tensor) -> Tensor:
    """Subtract each pixel from the next one along each axis of space: (axes, *planes.shape)."""
    axes = range(3, planes.ndim)
    out = planes.new_empty(len(axes), *planes.shape)
    for difference, axis in zip(out, axes, strict=True):
        n = planes.shape[axis] - 1
        following, before = planes.narrow(axis, 1, n), planes.narrow(axis, 0, n)
        torch.sub(following, before, out=difference.narrow(axis, 0, n))
        difference.narrow(axis, n, 1).zero_()
    return out


def _adjoint_differences(dual: Tensor) -> Tensor:
    """Apply the adjoint of `_differences`, to a dual that is 0 at the last pixel of each axis."""
    out = -dual.sum(0)
    for difference, axis in zip(dual, range(3, out.ndim), strict=True):
        n = out.shape[axis] - 1
        out.narrow(axis, 1, n).add_(difference.narrow(axis, 0, n))
    return out


def _squared_lengths(dual: Tensor, *, is_isotropic: bool) -> Tensor:
    """Sum squares over parts, and over differences if isotropic: (1 or axes, batch, ...)."""
    squares = dual.square()
    lengths = squares.sum(1) if dual.shape[1] > 1 else squares[:, 0]
    return lengths.sum(0, keepdim=True) if is_isotropic else lengths
