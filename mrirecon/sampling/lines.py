"""Regularly spaced phase-encoding lines with a fully sampled centre."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mrirecon.sampling.budget import (
    calibration_extent,
    central_block,
    check_budget,
    check_room,
    n_missing_lines,
    nearest_count,
)
from mrirecon.sampling.config import SamplingConfig


def equispaced(
    config: SamplingConfig, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Place exactly as many lines as the acceleration asks for, at equal gaps.

    The lines outside the calibration block are numbered without a break, and k of these m lines
    are taken: line floor((j m + shift) / k) for j = 0 .. k - 1. So gaps differ by at most one.
    Lines that partial Fourier leaves out have no number.

    Args:
        config: the sampling.
        shape: (n_lines,).
        rng: draws the shift unless `config.offset` gives it.

    Returns:
        bool, (n_lines,).

    Raises:
        ValueError: "acceleration: ...", "calibration: ..." or "offset: ...".
    """
    central, outer, n_outer = _equispaced_plan(config, shape[0])
    mask = central.copy()
    if n_outer > 0:
        shift = _shift(config, outer.size / n_outer, rng, n_outer, outer.size)
        mask[outer[(np.arange(n_outer) * outer.size + shift) // n_outer]] = True
    return mask


@lru_cache(maxsize=64)
def _equispaced_plan(
    config: SamplingConfig, size: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64], int]:
    """Give the calibration block, the places of the other lines, and how many of them to take."""
    n_lines = nearest_count(size, config.acceleration)
    n_missing = n_missing_lines(config, size)
    why = f"partial_fourier leaves {n_missing} lines out"
    check_room(size - n_missing, size, n_lines, why, config.acceleration)
    central = central_block((size,), calibration_extent(config, (size,), n_lines))
    check_budget(int(central.sum()), n_lines, config)
    outer = np.flatnonzero(~central)
    outer = outer[outer >= n_missing]
    for shared in (central, outer):  # by every caller of the cache
        shared.flags.writeable = False
    return central, outer, n_lines - int(central.sum())


def every_nth(
    config: SamplingConfig, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Take every n-th line of the axis, and the calibration block besides.

    Args:
        config: the sampling; `acceleration` is the spacing.
        shape: (n_lines,).
        rng: draws the first line unless `config.offset` gives it.

    Returns:
        bool, (n_lines,).

    Raises:
        ValueError: "acceleration: ...", "calibration: ..." or "offset: ...".
    """
    spacing = int(config.acceleration)
    mask = _every_nth_block(config, shape[0]).copy()
    lines = np.arange(_shift(config, spacing, rng, 1, spacing), shape[0], spacing)
    mask[lines[lines >= n_missing_lines(config, shape[0])]] = True
    return mask


@lru_cache(maxsize=64)
def _every_nth_block(config: SamplingConfig, size: int) -> NDArray[np.bool_]:
    """Give the calibration block."""
    spacing = int(config.acceleration)
    if spacing > size:
        raise ValueError(f"acceleration: expected at most {size}, the axis, got {spacing}")
    block = central_block((size,), calibration_extent(config, (size,), size // spacing))
    block.flags.writeable = False  # shared by every caller of the cache
    return block


def _shift(
    config: SamplingConfig, spacing: float, rng: np.random.Generator, scale: int, end: int
) -> int:
    """Give the offset of the first line times `scale`, a whole number from 0 to `end` - 1."""
    if config.offset is None:
        return int(rng.integers(end))
    if config.offset * scale >= end:
        raise ValueError(f"offset: expected less than the spacing {spacing:g}, got {config.offset}")
    return int(config.offset) * scale
