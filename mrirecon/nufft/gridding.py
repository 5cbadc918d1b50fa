"""The choice of an oversampled grid and a kernel's width: least time at an accuracy."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from mrirecon.nufft.kernel import amplification, design, squared_errors
from mrirecon.ops.nufft import MAX_WIDTH

# Of csrc/cpu/nufft_taps.h: for which kernels are compiled.
WIDTHS = {torch.float32: range(2, 11), torch.float64: range(2, MAX_WIDTH + 1, 2)}
_LEAST = {torch.float32: 1e-6, torch.float64: 1e-12}  # accuracy of a dtype
_LEAST_GRID = 32  # two bands, so that no sample meets its own taps around the grid's end
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
        error: relative l2 error that follows, if known.

    Examples:
        >>> import torch
        >>> from mrirecon import Nufft
        >>> from mrirecon.nufft import Gridding
        >>> nufft = Nufft(torch.zeros(3, 2), (64, 64), gridding=Gridding((128, 128), width=4))
        >>> nufft.gridding
        Gridding(grid=(128, 128), width=4, error=nan)
    """

    grid: tuple[int, ...]
    width: int
    error: float = math.nan


@lru_cache(maxsize=4096)
def gridding_error(
    shape: tuple[int, ...], grid: tuple[int, ...], width: int, dtype: torch.dtype
) -> float:
    """Estimate the relative l2 error, of aliases and rounding.

    Of images of complex white noise, all but about one in a thousand have less: the mean square
    over the pixels and three standard deviations of it, which matter for small images.
    """
    ratios = oversampling(shape, grid)
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
            grid_size(max(math.ceil(ratio * n), _LEAST_GRID), axis, len(shape))
            for axis, n in enumerate(shape)
        )
        for width in WIDTHS[dtype]:
            error = gridding_error(shape, grid, width, dtype)
            if error <= accuracy:
                cost = transforms_time(shape, grid)
                cost += samples_time(n_samples, width, len(shape), n_images)
                if best is None or cost < best[0]:
                    best = (cost, Gridding(grid, width, error))
                break
    assert best is not None, "the widest kernel at the finest grid meets every accuracy"
    return best[1]


def transforms_time(shape: tuple[int, ...], grid: tuple[int, ...]) -> float:
    """Estimate the time of the padded transforms of an image [ns of one core].

    Measured for 256 -> 320 and 256 -> 512 along both axes in complex64: 0.16 and 0.13 ns a step;
    more is taken, since larger grids and batches leave the caches.
    """
    steps = 0.0
    for axis, size in enumerate(grid):  # axes before are padded already, those behind not yet
        lines = math.prod(grid[:axis]) * math.prod(shape[axis + 1 :])
        steps += lines * size * math.log2(size)
    return 0.2 * steps


def samples_time(n_samples: int, width: int, ndim: int, n_images: int) -> float:
    """Estimate the time of interpolating or spreading an image's samples [ns of one core].

    Lanes hold up to four images and 8 / images rows of each; a sample takes a step for each point
    of lanes that its taps touch. Fitted to 32,768 samples, width 6, one and four images, mean of
    both directions: 14.5 and 4 x 6.6 ns a sample.
    """
    images = min(4, 1 << max(0, n_images - 1).bit_length())
    rows = 8 // images
    groups = (width + 2 * rows - 2) // rows
    steps = {1: width, 2: groups * width, 3: width * groups * width}[ndim]
    return n_samples * (2.5 + steps) / images


def require_gridding(gridding: Gridding, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Check a grid and a width that a caller chose.

    Raises:
        ValueError: "gridding: ..." if the kernels cannot use it.
    """
    if gridding.width not in WIDTHS[dtype]:
        widths = ", ".join(map(str, WIDTHS[dtype]))
        raise ValueError(
            f"gridding: expected a width of {widths} for {dtype}, got {gridding.width}"
        )
    if len(gridding.grid) != len(shape):
        raise ValueError(
            f"gridding: expected a grid of {len(shape)} sizes, as the image has, "
            f"got {gridding.grid}"
        )
    for axis, (n, big) in enumerate(zip(shape, gridding.grid, strict=True)):
        least = max(n, _LEAST_GRID)
        if big < least or grid_size(big, axis, len(shape)) != big:
            step = "8" if axis == len(shape) - 2 else "4"
            raise ValueError(
                f"gridding: expected a grid size of at least {least} along axis {axis}, a "
                f"multiple of {step} and a product of 2, 3 and 5, got {big}"
            )


def oversampling(shape: tuple[int, ...], grid: tuple[int, ...]) -> list[float]:
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
