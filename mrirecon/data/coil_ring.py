"""Synthetic sensitivities of coils on a ring around the object.

Field of a loop on its axis, by the law of Biot and Savart: Roemer et al. 1990, DOI
10.1002/mrm.1910160203.
"""

import math

import torch
from torch import Tensor

RING_RADIUS = 1.4  # [half of the field of view]; loops just outside what is seen
LOOP_RADIUS = 0.7  # [half of the field of view]; how far into the object a coil sees


def ring_coil_maps(n_coils: int, shape: tuple[int, int]) -> Tensor:
    """Make the maps of coils at equal angles around the field of view.

    Each falls as a loop's field does along its axis, (1 + d^2 / a^2)^(-3/2) at distance d for a
    loop of radius a, with the phase of its own angle and of the direction that it is seen in.

    Args:
        n_coils: 1 or more.
        shape: (rows, cols).

    Returns:
        complex64, (1, n_coils, rows, cols); the sum over coils of |map|^2 is 1 everywhere.

    Raises:
        ValueError: "n_coils: ..." below 1.

    Examples:
        >>> from mrirecon.classical import ring_coil_maps
        >>> maps = ring_coil_maps(8, (64, 64))
        >>> maps.shape
        torch.Size([1, 8, 64, 64])
    """
    if n_coils < 1:
        raise ValueError(f"n_coils: expected 1 or more, got {n_coils}")
    row, col = (2 * (torch.arange(n) - n // 2) / n for n in shape)
    angle = 2 * math.pi * torch.arange(n_coils)[:, None, None] / n_coils
    down = row[:, None] - RING_RADIUS * angle.sin()  # (coils, rows, 1)
    right = col - RING_RADIUS * angle.cos()  # (coils, 1, cols)
    strength = (1 + (down**2 + right**2) / LOOP_RADIUS**2) ** -1.5
    maps = torch.polar(strength, torch.atan2(down, right) - angle)
    return (maps / maps.abs().square().sum(0).sqrt())[None]
