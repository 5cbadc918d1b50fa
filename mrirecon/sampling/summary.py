"""What a mask amounts to: its samples, its measured acceleration and the scan time it saves."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mrirecon.sampling.budget import central_block
from mrirecon.sampling.config import RADIAL_STRATEGIES, SamplingConfig
from mrirecon.sampling.masks import acceleration
from mrirecon.sampling.radial import count_spokes


@dataclass(frozen=True)
class MaskSummary:
    """State what was measured of one mask, never what was asked for.

    Attributes:
        shape: (rows, cols) of the image.
        kind: what one readout is: `lines`, `spokes` or `points`.
        n_readouts: lines, spokes or points measured.
        n_samples: measured samples of the (rows, cols) grid.
        acceleration: grid samples over measured samples.
        calibration: lines, or side in samples of the square, fully sampled around the centre.
        largest_gap: most neighbouring lines left out; None for other than lines.
        scan_time_factor: how many times shorter the scan is than the full Cartesian one. All
            readouts take the same time, so lines and spokes count against the lines of the full
            scan (for spokes, those of the shorter axis). Points save time only in 3-D imaging,
            where rows and cols are both phase encoded and each point is a readout along the
            third axis; in a 2-D scan they save none.
    """

    shape: tuple[int, int]
    kind: str
    n_readouts: int
    n_samples: int
    acceleration: float
    calibration: int
    largest_gap: int | None
    scan_time_factor: float

    def describe(self) -> str:
        """Give the summary as one line of text."""
        saved = f"scan time / {self.scan_time_factor:.2f}"
        gap = "" if self.largest_gap is None else f", largest gap {self.largest_gap}"
        n = self.calibration
        centre = f"{n} central lines" if self.kind == "lines" else f"full {n} x {n} centre"
        return (
            f"{self.n_readouts} {self.kind}, {100 / self.acceleration:.1f} % measured, "
            f"acceleration {self.acceleration:.2f}, {centre}{gap}, "
            f"{saved}{' (3-D)' if self.kind == 'points' else ''}"
        )


def summarise(config: SamplingConfig, mask: Tensor, shape: tuple[int, int]) -> MaskSummary:
    """Measure one mask.

    Args:
        config: the sampling that made it.
        mask: bool, (cols,), (rows, 1) or (rows, cols), as `make_mask` gives it.
        shape: (rows, cols) of the image.

    Returns:
        Its summary.

    Raises:
        ValueError: "mask: ..." if it does not fit the image or measures nothing.

    Examples:
        >>> from mrirecon.sampling import SamplingConfig, make_mask, summarise
        >>> config = SamplingConfig("variable_density", acceleration=4, calibration=10)
        >>> summary = summarise(config, make_mask(config, (256, 256), seed=0), (256, 256))
        >>> summary.kind, summary.n_readouts, summary.acceleration, summary.calibration
        ('lines', 64, 4.0, 11)
    """
    n_measured = int(full_mask(mask, shape).sum())
    rows, cols = shape
    if config.is_line_mask:
        n_lines = mask.numel()
        kind, n_readouts, n_full = "lines", int(mask.sum()), n_lines
    elif config.strategy in RADIAL_STRATEGIES:
        kind, n_readouts, n_full = "spokes", count_spokes(config, (rows, cols)), min(shape)
    else:
        kind, n_readouts, n_full = "points", n_measured, rows * cols
    return MaskSummary(
        shape=(rows, cols),
        kind=kind,
        n_readouts=n_readouts,
        n_samples=n_measured,
        acceleration=acceleration(mask),
        calibration=sampled_centre(mask),
        largest_gap=_largest_gap(mask) if config.is_line_mask else None,
        scan_time_factor=n_full / n_readouts,
    )


def full_mask(mask: Tensor, shape: tuple[int, int]) -> Tensor:
    """Repeat a line mask over the whole grid.

    Args:
        mask: bool, (cols,), (rows, 1) or (rows, cols).
        shape: (rows, cols).

    Returns:
        bool, (rows, cols), a view.

    Raises:
        ValueError: "mask: ..." if it does not fit.

    Examples:
        >>> import torch
        >>> from mrirecon.sampling import full_mask
        >>> full_mask(torch.tensor([True, False, True]), (2, 3))
        tensor([[ True, False,  True],
                [ True, False,  True]])
    """
    rows, cols = shape
    if mask.dtype != torch.bool or tuple(mask.shape) not in ((cols,), (rows, 1), (rows, cols)):
        raise ValueError(
            f"mask: expected bool, (cols,) = ({cols},), (rows, 1) = ({rows}, 1) or "
            f"(rows, cols) = ({rows}, {cols}), got {mask.dtype} {tuple(mask.shape)}"
        )
    return mask.expand(rows, cols)


def sampled_centre(mask: Tensor) -> int:
    """Find the extent of the largest fully sampled block around the centre n // 2."""
    measured = mask.numpy().reshape([n for n in mask.shape if n > 1] or [1])
    largest = min(measured.shape)
    for extent in range(1, largest + 1):
        if not measured[central_block(measured.shape, extent)].all():
            return extent - 1
    return largest


def _largest_gap(mask: Tensor) -> int:
    """Find the longest run of unmeasured lines."""
    measured = torch.nonzero(mask.flatten()).flatten()
    edges = torch.cat([measured.new_tensor([-1]), measured, measured.new_tensor([mask.numel()])])
    return int(edges.diff().max()) - 1
