"""What a NUFFT needs to know of a trajectory, made once."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from mrirecon.nufft.kernel import (
    amplification,
    design,
    kernel_transform,
    squared_errors,
    taps,
)
from mrirecon.ops.nufft import MAX_WIDTH, PlanTensors

# Of csrc/nufft.h: samples are sorted by slabs, bands and columns of the grid.
_SLAB_PLANES, _BAND_ROWS, _BIN_COLS = 4, 16, 16
_WIDTHS = {torch.float32: range(2, 11), torch.float64: range(2, MAX_WIDTH + 1)}
_LEAST = {torch.float32: 1e-6, torch.float64: 1e-12}  # accuracy of a dtype
_FINEST = 2.0  # oversampling; finer grids gain little, and tap polynomials are made for it

# Errors of float32 in both directions over eps times `amplification`: 0.7 to 2.6, in 24 cases of 1
# to 3 axes, oversampling 1.2 to 1.6, width 6 to 10.
_ROUNDING = 2.6


@dataclass(frozen=True)
class Gridding:
    """How finely to sample and how wide to interpolate.

    Attributes:
        grid: sizes of the oversampled grid.
        width: number of taps along each axis.
        error: largest relative l2 error that follows.
    """

    grid: tuple[int, ...]
    width: int
    error: float


@lru_cache(maxsize=4096)
def gridding_error(
    shape: tuple[int, ...], grid: tuple[int, ...], width: int, dtype: torch.dtype
) -> float:
    """Estimate the relative l2 error, of aliases and rounding.

    Of images of complex white noise, all but about one in a thousand have less: the mean square
    over the pixels and three standard deviations of it, which matter for small images.
    """
    ratios = _ratios(shape, grid)
    kernel_shape = torch.tensor([design(width, min(ratios))], dtype=torch.float64)
    aliases = 0.0
    for n, ratio in zip(shape, ratios, strict=True):
        squares = squared_errors(width, ratio, kernel_shape, min(n, 512) // 2 + 1)
        deviation = float(squares.square().mean()) / math.prod(shape)
        aliases += float(squares.mean()) + 3 * math.sqrt(deviation)
    rounding = math.prod(amplification(width, r, kernel_shape) for r in ratios)
    return math.sqrt(aliases) + _ROUNDING * torch.finfo(dtype).eps * rounding


def choose_gridding(
    shape: tuple[int, ...], n_samples: int, n_images: int, accuracy: float, dtype: torch.dtype
) -> Gridding:
    """Choose the grid and the width that take the least time at an accuracy.

    Args:
        shape: of the image.
        n_samples: of a trajectory.
        n_images: images and coils of one call.
        accuracy: largest relative l2 error.
        dtype: real, float32 or float64.

    Raises:
        ValueError: "accuracy: ..." outside what the dtype can do.
    """
    least = _LEAST[dtype]
    if not least <= accuracy <= 0.1:
        raise ValueError(f"accuracy: expected {least:g} to 0.1 for {dtype}, got {accuracy:g}")
    best: tuple[float, Gridding] | None = None
    for ratio in (1.2, 1.25, 1.33, 1.4, 1.5, 1.67, 1.8, 2.0):
        grid = tuple(
            grid_size(max(math.ceil(ratio * n), 2 * _BAND_ROWS), axis, len(shape))
            for axis, n in enumerate(shape)
        )
        for width in _WIDTHS[dtype]:
            error = gridding_error(shape, grid, width, dtype)
            if error <= accuracy:
                cost = _cost(shape, grid, width, n_samples, n_images)
                if best is None or cost < best[0]:
                    best = (cost, Gridding(grid, width, error))
                break
    assert best is not None, "the widest kernel at the finest grid meets every accuracy"
    return best[1]


def _cost(
    shape: tuple[int, ...], grid: tuple[int, ...], width: int, n_samples: int, n_images: int
) -> float:
    """Estimate the time of a transform, in butterflies."""
    points = math.prod(grid)
    transforms = points * math.log2(points) * 2.0
    return transforms + n_samples * (width ** len(shape) * 1.0 + 8.0)


def _ratios(shape: tuple[int, ...], grid: tuple[int, ...]) -> list[float]:
    """Give the oversampling along each axis, to three digits, so that designs are found again."""
    return [
        min(_FINEST, math.floor(1000 * big / n) / 1000) for n, big in zip(shape, grid, strict=True)
    ]


@lru_cache(maxsize=1024)
def grid_size(least: int, axis: int, ndim: int) -> int:
    """Find the next size that is a product of 2, 3 and 5, and of 8 along the rows."""
    step = 8 if axis == ndim - 2 else 4
    size = math.ceil(least / step) * step
    while not _is_smooth(size):
        size += step
    return size


def _is_smooth(size: int) -> bool:
    for factor in (2, 3, 5):
        while size % factor == 0:
            size //= factor
    return size == 1


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
    roots = torch.cat([_roots(n) for n in (*[1] * (3 - len(grid)), *grid)])
    apodisation = torch.cat(list(_apodisation(shape, grid, width)))
    return PlanTensors(
        starts=starts,
        offsets=offsets,
        positions=positions,
        bins=_bins(starts, grid),
        taps=_taps(shape, grid, width).to(coords),
        apodisation=apodisation.to(coords),
        roots=roots.to(coords.device, coords.dtype.to_complex()),
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


def _roots(n: int) -> Tensor:
    return torch.exp(-2j * math.pi * torch.arange(n, dtype=torch.float64) / n)


@lru_cache(maxsize=64)
def _taps(shape: tuple[int, ...], grid: tuple[int, ...], width: int) -> Tensor:
    return taps(width, design(width, min(_ratios(shape, grid))))


def _apodisation(shape: tuple[int, ...], grid: tuple[int, ...], width: int) -> Iterator[Tensor]:
    """Give for each axis what undoes the kernel's transform and makes the whole orthonormal."""
    yield torch.ones(3 - len(shape), dtype=torch.float64)
    kernel_shape = torch.tensor(design(width, min(_ratios(shape, grid))), dtype=torch.float64)
    for n, big in zip(shape, grid, strict=True):
        pixel = torch.arange(n, dtype=torch.float64) - n // 2
        yield 1 / (kernel_transform(pixel / big, width, kernel_shape) * math.sqrt(n))
