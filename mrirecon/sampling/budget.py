"""How many samples a mask may have, and how many of them its fully sampled centre takes."""

import math

import numpy as np
from numpy.typing import NDArray

from mrirecon.sampling.config import SamplingConfig

DEFAULT_CALIBRATION = 0.04  # of the axis: 10 of 256 lines, as in ReconResNet (arXiv 2103.09203)


def nearest_count(total: int, acceleration: float) -> int:
    """Find the number of samples whose acceleration total / n is nearest to the one asked for.

    Args:
        total: lines of the axis or samples of the plane.
        acceleration: at least 1.

    Returns:
        A number from 1 to `total`.

    Raises:
        ValueError: "acceleration: ..." above `total`, which not even one sample has.
    """
    if acceleration > total:
        expected = f"at most {total}, which measures one line or sample"
        raise ValueError(f"acceleration: expected {expected}, got {acceleration:g}")
    below = max(1, math.floor(total / acceleration))
    above = min(total, below + 1)
    return min(below, above, key=lambda n: abs(total / n - acceleration))


def calibration_extent(config: SamplingConfig, shape: tuple[int, ...], count: int) -> int:
    """Give the number of calibration lines, or the side of the calibration square.

    Lines that partial Fourier leaves out at one edge limit how many there are around the centre.

    Args:
        config: the sampling.
        shape: (n_lines,) or (rows, cols).
        count: measured lines or samples in all.

    Returns:
        The configured extent, or the default described at `SamplingConfig.calibration`.

    Raises:
        ValueError: "calibration: ..." if longer than the axis, or than what partial Fourier keeps
            around the centre.
    """
    n = min(shape)
    n_left_out = n_missing_lines(config, n)
    most = min(n, 2 * (n // 2 - n_left_out) + 1) if n_left_out else n
    if config.calibration is None:
        half_of_all = math.floor((count / 2) ** (1 / len(shape)))
        return min(round(DEFAULT_CALIBRATION * n), half_of_all, most)
    if config.calibration > most:
        kept = "what partial_fourier keeps around the centre"
        why = kept if n_left_out else "the size of the image's axis"
        raise ValueError(f"calibration: expected at most {most}, {why}, got {config.calibration}")
    return config.calibration


def n_missing_lines(config: SamplingConfig, n_lines: int) -> int:
    """Count the lines, from the first one on, that partial Fourier leaves out."""
    return n_lines - round(config.partial_fourier * n_lines)


def central_block(shape: tuple[int, ...], extent: int) -> NDArray[np.bool_]:
    """Mark a block of `extent` entries along each axis around the centre n // 2.

    Args:
        shape: (n_lines,) or (rows, cols).
        extent: entries along each axis, 0 to the smallest size.

    Returns:
        bool, `shape`. An even extent has one entry more below the centre than above it.
    """
    block = np.zeros(shape, dtype=bool)
    block[tuple(slice(n // 2 - extent // 2, n // 2 - extent // 2 + extent) for n in shape)] = True
    return block


def central_disc(shape: tuple[int, ...], diameter: int) -> NDArray[np.bool_]:
    """Mark the samples closer to the centre n // 2 than half the diameter.

    Args:
        shape: (rows, cols).
        diameter: [samples], 0 to the smallest size.

    Returns:
        bool, `shape`.
    """
    offsets = np.meshgrid(*(np.arange(n) - n // 2 for n in shape), indexing="ij")
    return np.asarray(sum(offset**2 for offset in offsets) < (diameter / 2) ** 2)


def check_room(available: int, total: int, count: int, why: str, acceleration: float) -> None:
    """Refuse an acceleration that needs samples where a strategy has none.

    Args:
        available: samples or lines that the strategy can measure.
        total: all of the axis or plane.
        count: what the acceleration asks for.
        why: what leaves the others out.
        acceleration: asked for.

    Raises:
        ValueError: "acceleration: ..." with the least that is possible.
    """
    if count > available:
        raise ValueError(
            f"acceleration: expected at least {total / available:.3f}, since {why}, "
            f"got {acceleration:g}"
        )


def check_budget(calibration: int, count: int, config: SamplingConfig) -> None:
    """Refuse a calibration region that alone has more samples than the acceleration allows.

    Args:
        calibration: samples or lines of the calibration region.
        count: samples or lines in all.
        config: the sampling, for the message.

    Raises:
        ValueError: "calibration: ...".
    """
    if calibration > count:
        kind = "lines" if config.is_line_mask else "samples"
        raise ValueError(
            f"calibration: expected at most {count} {kind}, all that acceleration "
            f"{config.acceleration:g} allows, got {calibration}"
        )
