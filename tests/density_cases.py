"""What weights of density must do, whatever they were made by: keep the scale of an image."""

import math

import torch
from torch import Tensor

from mrirecon.nufft import Nufft


def cartesian_coords(rows: int, cols: int) -> Tensor:
    """Every sample of the grid, float64, (rows * cols, 2)."""
    axes = [torch.arange(n, dtype=torch.float64) - n // 2 for n in (rows, cols)]
    return torch.cartesian_prod(*axes)


def assert_keeps_a_constant(coords: Tensor, weights: Tensor, n: int, tolerance: float) -> None:
    """A disc or ball with a soft edge, two thirds of the field of view wide, keeps its middle."""
    shape = (n,) * coords.shape[-1]
    axes = [torch.arange(n) - n // 2] * len(shape)
    radius = torch.stack(torch.meshgrid(*axes, indexing="ij")).double().norm(dim=0) / n
    image = (math.pi * 3 * (radius - 1 / 6).clamp(0, 1 / 6)).cos().square()
    op = Nufft(coords, shape, 1e-6, density=weights)
    kspace = op(image.to(coords.dtype.to_complex())[None, None])
    middle = op.grid(kspace)[0, 0][radius < 1 / 6].real
    torch.testing.assert_close(middle, torch.ones_like(middle), rtol=0, atol=tolerance)
