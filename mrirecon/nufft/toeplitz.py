"""The normal operator of a NUFFT as a convolution on a grid of about twice the size.

Source: Fessler, Lee, Olafsson, Shi and Noll 2005 (DOI 10.1109/TSP.2005.853152).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mrirecon.nufft.gridding import (
    choose_gridding,
    grid_size,
    samples_time,
    transforms_time,
)
from mrirecon.nufft.plan import make_plan, roots_of_grid
from mrirecon.ops.nufft import PlanTensors, nufft_adjoint, nufft_normal

_BAND = 8  # rows next to each other in memory, as lanes are


class Convolution(NamedTuple):
    """A* D A as weights between a Fourier transform and its inverse.

    Attributes:
        transfer: real, (batch or 1, depth, rows / 8, cols, 8), weights of the grid's points.
        apodisation: real, (depth + rows + cols,), ones: the image is not weighted.
        roots: complex, (sum of the grid's sizes,), exp(-2 pi i j / n).
        shape: of the image.
        grid: of the padded image, at least 2 n - 1 along each axis.
    """

    transfer: Tensor
    apodisation: Tensor
    roots: Tensor
    shape: tuple[int, ...]
    grid: tuple[int, ...]

    def to(self, device: torch.device | str) -> "Convolution":
        """Give the same convolution on another device."""
        return self._replace(
            transfer=self.transfer.to(device),
            apodisation=self.apodisation.to(device),
            roots=self.roots.to(device),
        )


def make_convolution(
    coords: Tensor, shape: tuple[int, ...], density: Tensor | None, accuracy: float
) -> Convolution:
    """Compute the transfer function of A* D A.

    The entry of A* D A between pixels that are d apart is
    1 / pixels * sum over samples of density exp(2 pi i coords d / n): the adjoint transform of
    the weights, onto an image as large as all distances. Its Fourier transform is real, since the
    entry of -d is the conjugate. Computed in float64.

    Args:
        coords: real, (samples, ndim) or (batch, samples, ndim), cycles per field of view.
        shape: of the image.
        density: real, (samples,) or (batch, samples), or None for ones.
        accuracy: of the transform; the weights have a tenth of it.

    Returns:
        The convolution, on the device of `coords`, of its precision.
    """
    grid = convolution_grid(shape)
    scale = [big / n for n, big in zip(shape, grid, strict=True)]
    moved = coords.detach().double()
    moved = moved * moved.new_tensor(scale)
    moved = moved if moved.ndim == 3 else moved[None]
    weights = moved.new_ones(moved.shape[:2]) if density is None else density.detach().double()
    weights = weights.reshape(-1, 1, weights.shape[-1])
    weights = weights.expand(max(len(moved), len(weights)), -1, -1)
    gridding = choose_gridding(grid, moved.shape[1], 1, max(accuracy / 10, 1e-12), torch.float64)
    plan = make_plan(moved, grid, gridding)
    response = nufft_adjoint(weights.to(plan.roots.dtype).contiguous(), None, moved, plan)[:, 0]
    for axis, (n, big) in enumerate(zip(shape, grid, strict=True), 1):
        # Distances that no two pixels have, among them the one without an opposite.
        distance = (torch.arange(big, device=response.device) - big // 2).abs()
        response.index_fill_(axis, (distance >= n).nonzero()[:, 0], 0)
    axes = tuple(range(1, response.ndim))
    transfer = torch.fft.fftn(torch.fft.ifftshift(response, dim=axes), dim=axes).real
    transfer = transfer / (math.sqrt(math.prod(grid)) * math.prod(shape))
    real, device = coords.dtype, coords.device
    return Convolution(
        transfer=_to_bands(transfer).to(real),
        apodisation=torch.ones(3 - len(shape) + sum(shape), dtype=real, device=device),
        roots=roots_of_grid(grid).to(device, real.to_complex()),
        shape=shape,
        grid=grid,
    )


def convolution_grid(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Choose sizes that hold all distances between pixels, and transform fast."""
    ndim = len(shape)
    return tuple(grid_size(max(2 * n - 1, 32), axis, ndim) for axis, n in enumerate(shape))


def apply_convolution(
    image: Tensor, convolution: Convolution, coil_maps: Tensor | None = None
) -> Tensor:
    """Apply A* D A to images, or the sum over coils of conj(map) A* D A map.

    Args:
        image: complex, (batch, coils, *shape); with `coil_maps` (batch, 1, *shape).
        convolution: of `make_convolution`.
        coil_maps: complex, (batch or 1, coils, *shape).

    Returns:
        complex, shape of `image`.
    """
    return nufft_normal(image, coil_maps, *convolution)


def convolution_is_faster(plan: PlanTensors, n_images: int) -> bool:
    """Estimate whether A* D A by convolution takes less time than both transforms."""
    ndim = len(plan.grid)
    direct = transforms_time(plan.shape, plan.grid)
    direct += samples_time(plan.offsets.shape[1], plan.width, ndim, n_images)
    return transforms_time(plan.shape, convolution_grid(plan.shape)) < direct


def _to_bands(transfer: Tensor) -> Tensor:
    """Lay eight rows next to each other: (batch, *grid) to (batch, depth, rows / 8, cols, 8)."""
    batch, cols = transfer.shape[0], transfer.shape[-1]
    volume = transfer.reshape(batch, *[1] * (4 - transfer.ndim), *transfer.shape[1:])
    missing = -volume.shape[2] % _BAND  # rows of an image of one axis
    volume = torch.nn.functional.pad(volume, (0, 0, 0, missing))
    bands = volume.reshape(batch, volume.shape[1], -1, _BAND, cols)
    return bands.transpose(-1, -2).contiguous()
