"""Regularly spaced phase-encoding lines with a fully sampled centre."""

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
    n_lines = nearest_count(shape[0], config.acceleration)
    n_missing = n_missing_lines(config, shape[0])
    why = f"partial_fourier leaves {n_missing} lines out"
    check_room(shape[0] - n_missing, shape[0], n_lines, why, config.acceleration)
    mask = central_block(shape, calibration_extent(config, shape, n_lines))
    check_budget(int(mask.sum()), n_lines, config)
    outer = np.flatnonzero(~mask)
    outer = outer[outer >= n_missing]
    n_outer = n_lines - int(mask.sum())
    if n_outer > 0:
        shift = _shift(config, outer.size / n_outer, rng, n_outer, outer.size)
        mask[outer[(np.arange(n_outer) * outer.size + shift) // n_outer]] = True
    return mask


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
    if spacing > shape[0]:
        raise ValueError(f"acceleration: expected at most {shape[0]}, the axis, got {spacing}")
    mask = central_block(shape, calibration_extent(config, shape, shape[0] // spacing))
    lines = np.arange(_shift(config, spacing, rng, 1, spacing), shape[0], spacing)
    mask[lines[lines >= n_missing_lines(config, shape[0])]] = True
    return mask


def _shift(
    config: SamplingConfig, spacing: float, rng: np.random.Generator, scale: int, end: int
) -> int:
    """Give the offset of the first line times `scale`, a whole number from 0 to `end` - 1."""
    if config.offset is None:
        return int(rng.integers(end))
    if config.offset * scale >= end:
        raise ValueError(f"offset: expected less than the spacing {spacing:g}, got {config.offset}")
    return int(config.offset) * scale
