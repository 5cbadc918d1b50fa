"""Meaning of `mrirecon.ops.expand_coils` and `combine_coils` in plain PyTorch."""

from torch import Tensor


def expand_coils(image: Tensor, coil_maps: Tensor) -> Tensor:
    """Return the coil images; arguments as in `mrirecon.ops.expand_coils`."""
    return coil_maps * image


def combine_coils(coil_images: Tensor, coil_maps: Tensor) -> Tensor:
    """Return the combined image; arguments as in `mrirecon.ops.combine_coils`."""
    return (coil_maps.conj() * coil_images).sum(1, keepdim=True)
