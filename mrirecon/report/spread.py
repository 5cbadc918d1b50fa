"""What was measured, for the report: its numbers, and how it spreads a single point."""

from torch import Tensor

from mrirecon.report.chart_frame import Chart
from mrirecon.report.charts import spread_curve_uri
from mrirecon.report.pictures import spread_picture_uri
from mrirecon.sampling import (
    MaskSummary,
    TrajectoryConfig,
    Undersampling,
    summarise,
    summarise_trajectory,
)
from mrirecon.sampling.picture import FLOOR, decibels, point_spread
from mrirecon.sampling.side_lobes import trajectory_spread


def draw_spread(sampling: Undersampling, mask: Tensor) -> Chart:
    """Draw the point spread function: a curve for lines, which spread along one axis only.

    Args:
        sampling: on or off the grid.
        mask: bool, (rows, cols), that it made.
    """
    if isinstance(sampling, TrajectoryConfig):
        spread = decibels(trajectory_spread(sampling, (mask.shape[0], mask.shape[1])))
        return Chart(spread_picture_uri(spread), "Point spread function", is_picture=True)
    spread = point_spread(mask)
    if not sampling.is_line_mask:
        return Chart(spread_picture_uri(spread), "Point spread function", is_picture=True)
    row, col = (size // 2 for size in spread.shape)
    along = spread[row] if sampling.axis == "cols" else spread[:, col]
    return Chart(spread_curve_uri(along, FLOOR), "Point spread function along the lines")


def summarise_measured(sampling: Undersampling, mask: Tensor) -> MaskSummary:
    """Summarise a full mask or a trajectory; line masks are summarised as lines.

    Args:
        sampling: on or off the grid.
        mask: bool, (rows, cols), that it made.
    """
    shape = mask.shape[0], mask.shape[1]
    if isinstance(sampling, TrajectoryConfig):
        return summarise_trajectory(sampling, shape)
    if not sampling.is_line_mask:
        return summarise(sampling, mask, shape)
    lines = mask[0] if sampling.axis == "cols" else mask[:, :1]
    return summarise(sampling, lines, shape)
