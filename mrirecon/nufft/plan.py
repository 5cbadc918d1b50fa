"""What a NUFFT needs to know of a trajectory, made once."""

import math
from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

from mrirecon.nufft.gridding import Gridding, oversampling
from mrirecon.nufft.kernel import design, kernel_transform, taps
from mrirecon.ops.nufft import PlanTensors

# Of csrc/nufft.h: samples are sorted by slabs, bands and columns of the grid.
_SLAB_PLANES, _BAND_ROWS, _BIN_COLS = 4, 16, 16


def make_plan(coords: Tensor, shape: tuple[int, ...], gridding: Gridding) -> PlanTensors:
    """Sort samples by where they lie on the grid, and evaluate what depends on them alone.

    Args:
        coords: float32 or float64, (trajectories, samples, ndim), cycles per field of view.
        shape: of the image.
        gridding: the grid, and the number of taps along each axis.

    Returns:
        The plan, on the device of `coords`, of its precision.
    """
    grid, width = gridding.grid, gridding.width
    size = torch.tensor(grid, dtype=torch.float64, device=coords.device)
    scale = size / torch.tensor(shape, dtype=torch.float64, device=coords.device)
    # In float64: a cell and an offset in it lose nothing, a float32 coordinate would.
    left = coords.detach().double() * scale - width / 2
    first = left.ceil()
    offsets = (first - left - 0.5).to(coords.dtype)
    starts = first.remainder(size).to(torch.int32)
    order = _sort_key(starts, grid).argsort(dim=-1, stable=True)  # (trajectories, samples)
    positions = torch.empty_like(order, dtype=torch.int32)
    ranks = torch.arange(order.shape[-1], dtype=torch.int32, device=order.device)
    positions.scatter_(-1, order, ranks.expand_as(positions))
    starts, offsets = (
        x.take_along_dim(order[..., None], dim=-2).contiguous() for x in (starts, offsets)
    )
    apodisation = torch.cat(list(_apodisation(shape, grid, width)))
    return PlanTensors(
        starts=starts,
        offsets=offsets,
        positions=positions,
        bins=_bins(starts, grid),
        taps=_taps(shape, grid, width).to(coords),
        apodisation=apodisation.to(coords),
        roots=roots_of_grid(grid).to(coords.device, coords.dtype.to_complex()),
        width=width,
        shape=shape,
        grid=grid,
    )


def move_plan(plan: PlanTensors, device: torch.device | str) -> PlanTensors:
    """Give the same plan on another device."""
    return plan._replace(
        starts=plan.starts.to(device),
        offsets=plan.offsets.to(device),
        positions=plan.positions.to(device),
        bins=plan.bins.to(device),
        taps=plan.taps.to(device),
        apodisation=plan.apodisation.to(device),
        roots=plan.roots.to(device),
    )


def _sort_key(starts: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Number the grid's columns by slab, band and column; what is equal is next to each other."""
    cells = starts.long()
    band = cells[..., -2] // _BAND_ROWS if len(grid) > 1 else 0
    slab = cells[..., -3] // _SLAB_PLANES if len(grid) > 2 else 0
    return (slab * _n_bands(grid) + band) * grid[-1] + cells[..., -1]


def _n_bands(grid: tuple[int, ...]) -> int:
    return math.ceil(grid[-2] / _BAND_ROWS) if len(grid) > 1 else 1


def _bins(starts: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Find the first sample of each bin: of each slab, band and group of columns.

    Args:
        starts: int32, (trajectories, samples, ndim), sorted.
        grid: of the oversampled grid.

    Returns:
        int32, (trajectories, bins + 1).
    """
    key = _sort_key(starts, grid)
    n_slabs = math.ceil(grid[-3] / _SLAB_PLANES) if len(grid) > 2 else 1
    lines = torch.arange(n_slabs * _n_bands(grid), device=key.device) * grid[-1]
    firsts = torch.arange(0, grid[-1], _BIN_COLS, device=key.device)
    edges = (lines[:, None] + firsts).flatten().expand(key.shape[0], -1).contiguous()
    bins = torch.searchsorted(key, edges, out_int32=True)
    return torch.cat([bins, bins.new_full((key.shape[0], 1), key.shape[1])], dim=1)


@lru_cache(maxsize=64)
def roots_of_grid(grid: tuple[int, ...]) -> Tensor:
    """Give exp(-2 pi i j / n) along each of three axes, complex128, one after the other."""
    sizes = (*[1] * (3 - len(grid)), *grid)
    turns = torch.cat([torch.arange(n, dtype=torch.float64) / n for n in sizes])
    return torch.polar(torch.ones_like(turns), -2 * math.pi * turns)


@lru_cache(maxsize=64)
def _taps(shape: tuple[int, ...], grid: tuple[int, ...], width: int) -> Tensor:
    return taps(width, design(width, min(oversampling(shape, grid))))


def _apodisation(shape: tuple[int, ...], grid: tuple[int, ...], width: int) -> Iterator[Tensor]:
    """Give for each axis what undoes the kernel's transform and makes the whole orthonormal."""
    yield torch.ones(3 - len(shape), dtype=torch.float64)
    kernel_shape = torch.tensor(design(width, min(oversampling(shape, grid))), dtype=torch.float64)
    for n, big in zip(shape, grid, strict=True):
        pixel = torch.arange(n, dtype=torch.float64) - n // 2
        yield 1 / (kernel_transform(pixel / big, width, kernel_shape) * math.sqrt(n))
