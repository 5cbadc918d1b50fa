"""Forward and adjoint as one convolution, under the names of torchkbnufft."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mrirecon.nufft.operator import Nufft
from mrirecon.nufft.torchkbnufft.arguments import (
    as_complex,
    n_points,
    oversampled,
    radians_to_coords,
)


class ToepNufft(nn.Module):
    """Forward and adjoint as a convolution, as torchkbnufft.ToepNufft."""

    def forward(
        self, image: Tensor, kernel: Tensor, smaps: Tensor | None = None, norm: str | None = None
    ) -> Tensor:
        """Convolve images.

        Args:
            image: complex, (batch, coils, *im_size), or real, (..., 2); with `smaps` one coil.
            kernel: of `calc_toeplitz_kernel`, made with the same norm.
            smaps: as `image`, coil maps, (batch or 1, coils, *im_size).
            norm: None or "ortho".

        Returns:
            As `image`.

        Raises:
            ValueError: another norm.
        """
        operand, maps = as_complex(image), None if smaps is None else as_complex(smaps)
        ndim = operand.ndim - 2
        transfer = as_complex(kernel) if not image.is_complex() else kernel
        batched = transfer if transfer.ndim == ndim + 1 else transfer[None]
        scale = math.prod(batched.shape[1:]) / n_points(norm, tuple(batched.shape[1:]))
        result = _convolve(operand if maps is None else operand * maps, batched) * scale
        if maps is not None:
            result = (maps.conj() * result).sum(1, keepdim=True)
        return result if image.is_complex() else torch.view_as_real(result)


def calc_toeplitz_kernel(
    omega: Tensor,
    im_size: Sequence[int],
    weights: Tensor | None = None,
    norm: str | None = None,
    grid_size: Sequence[int] | None = None,
    numpoints: int | Sequence[int] = 6,
    table_oversamp: int | Sequence[int] = 2**10,
    kbwidth: float = 2.34,
    order: float | Sequence[float] = 0.0,
    *,
    accuracy: float = 1e-3,
) -> Tensor:
    """Compute what `ToepNufft` convolves with, as torchkbnufft.calc_toeplitz_kernel.

    Args:
        omega: real, (ndim, samples) or (batch, ndim, samples), [radians per pixel].
        im_size: sizes of an image.
        weights: real or complex with real values, (..., samples), of samples; ones by default.
        norm: None or "ortho".
        grid_size: as of `KbNufft`.
        numpoints: without effect.
        table_oversamp: without effect.
        kbwidth: without effect.
        order: without effect.
        accuracy: relative l2 error, as of `Nufft`.

    Returns:
        complex, (*twice im_size), with a batch axis if `omega` has one.

    Raises:
        ValueError: another norm, or as of `Nufft`.
    """
    shape = tuple(int(n) for n in im_size)
    coords = radians_to_coords(omega, shape, omega.dtype.to_complex())
    density = None
    if weights is not None:
        real = weights.real if weights.is_complex() else weights
        density = real.reshape(-1, real.shape[-1])
        density = density[0] if len(density) == 1 else density
    kernel = _transfer(coords, shape, density, accuracy).to(omega.dtype.to_complex())
    double = math.prod(2 * n for n in shape)
    points = double if norm is None else n_points(norm, oversampled(shape, grid_size))
    kernel = kernel * (math.prod(shape) / points)
    return kernel[0] if omega.ndim == 2 else kernel


def _transfer(
    coords: Tensor, shape: tuple[int, ...], density: Tensor | None, accuracy: float
) -> Tensor:
    """Give the transform of what A* D A has between pixels some distance apart, in float64.

    Returns:
        real, (batch or 1, *twice the shape), zero frequency first.
    """
    double = tuple(2 * n for n in shape)
    op = Nufft(2 * coords.detach().double(), double, max(accuracy / 10, 1e-12), n_images=1)
    weights = op.coords.new_ones(1, coords.shape[-2]) if density is None else density.double()
    weights = weights.reshape(-1, 1, weights.shape[-1]).to(torch.complex128)
    if coords.ndim == 3:
        weights = weights.expand(len(coords), -1, -1)
    response = op.adjoint(weights)[:, 0]
    axes = tuple(range(1, response.ndim))
    for axis in axes:
        response.select(axis, 0).zero_()  # a distance that no two pixels have
    transfer = torch.fft.fftn(torch.fft.ifftshift(response, dim=axes), dim=axes).real
    return transfer * (math.sqrt(math.prod(double)) / math.prod(shape))


def _convolve(images: Tensor, kernel: Tensor) -> Tensor:
    """Multiply the transforms of padded images, (batch, coils, *shape), with a kernel."""
    axes = tuple(range(2, images.ndim))
    padded = torch.fft.fftn(images, s=kernel.shape[1:], dim=axes) * kernel[:, None]
    crop = (slice(None), slice(None), *(slice(n) for n in images.shape[2:]))
    return torch.fft.ifftn(padded, dim=axes)[crop]
