"""Meaning of `mrirecon.ops.round_trip` in plain PyTorch: whole transforms, by their definition."""

import math

import torch
from torch import Tensor


def transform_matrix(n: int) -> Tensor:
    """Return the centred orthonormal transform of length n as a matrix, complex128, (n, n)."""
    index = torch.arange(n) - n // 2
    steps = torch.outer(index, index).remainder(max(n, 1))  # of whole turns none is left
    return torch.exp(-2j * math.pi * steps.double() / max(n, 1)) / math.sqrt(max(n, 1))


def weigh_kspace(
    image: Tensor, mask: Tensor, weights: Tensor, *, coil_maps: Tensor | None = None
) -> Tensor:
    """Return S* F* W F S image; arguments as in `mrirecon.ops.weigh_kspace`."""
    if mask.dim() == 3:  # (batch, rows, cols) over (batch, ..., rows, cols)
        mask = mask.reshape(mask.shape[0], *[1] * (image.dim() - 3), *mask.shape[1:])
    rows, cols = (transform_matrix(n).to(image.dtype) for n in image.shape[-2:])
    seen = image if coil_maps is None else coil_maps * image
    kspace = torch.where(mask, weights[0], weights[1]) * (rows @ seen @ cols.mT)
    coil_images = rows.conj() @ kspace @ cols.conj()
    if coil_maps is None:
        return coil_images
    return (coil_maps.conj() * coil_images).sum(1, keepdim=True)


def enforce_image_consistency(
    image: Tensor, zero_filled: Tensor, mask: Tensor, weights: Tensor
) -> Tensor:
    """Return the consistent image; arguments as in `mrirecon.ops.enforce_image_consistency`."""
    return zero_filled + weigh_kspace(image - zero_filled, mask, weights)
