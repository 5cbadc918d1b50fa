"""Centred orthonormal Fourier transforms; the centre is index n // 2."""

import torch
from torch import Tensor


def fft_centred(image: Tensor, dims: tuple[int, ...] = (-2, -1)) -> Tensor:
    """Transform an image to k-space, both with their origin at index n // 2.

    kspace[k] = 1 / sqrt(n) * sum_x image[x] * exp(-2 pi i (k - n // 2) (x - n // 2) / n), along
    each of `dims`. Orthonormal, so that `ifft_centred` is the inverse and also the adjoint.
    Multiplying by (-1)^index would save the shifts of even sizes, but measured no faster than
    them on the CPU.

    Args:
        image: real or complex, any shape; real becomes complex.
        dims: axes to transform; all others, such as batch and coils, are left alone.

    Returns:
        k-space, complex, the image's shape.
    """
    shifted = torch.fft.ifftshift(image, dim=dims)
    return torch.fft.fftshift(torch.fft.fftn(shifted, dim=dims, norm="ortho"), dim=dims)


def ifft_centred(kspace: Tensor, dims: tuple[int, ...] = (-2, -1)) -> Tensor:
    """Transform k-space to an image: inverse and adjoint of `fft_centred`.

    Args:
        kspace: complex, any shape, centre at index n // 2 along `dims`.
        dims: axes to transform.

    Returns:
        Image, complex, the shape of `kspace`.
    """
    shifted = torch.fft.ifftshift(kspace, dim=dims)
    return torch.fft.fftshift(torch.fft.ifftn(shifted, dim=dims, norm="ortho"), dim=dims)


def masked_dims(mask: Tensor) -> tuple[int, ...]:
    """Name the spatial axes along which a mask varies.

    Args:
        mask: (cols,), (rows, 1), (rows, cols) or (batch, rows | 1, cols | 1).

    Returns:
        Those of the axes -2 (rows) and -1 (cols) that have more than one entry in the mask.
    """
    return tuple(dim for dim in (-2, -1) if mask.ndim >= -dim and mask.shape[dim] > 1)
