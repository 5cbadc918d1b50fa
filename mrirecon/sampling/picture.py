"""Draw masks and trajectories beside their point spread function, as one figure in a file."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.files import atomic_path
from mrirecon.ops.round_trip import masked_dims
from mrirecon.sampling.side_lobes import mask_spread, trajectory_spread
from mrirecon.sampling.summary import MaskSummary, full_mask
from mrirecon.sampling.trajectory_config import TrajectoryConfig, summarise_trajectory

FLOOR = -60.0  # [dB], the darkest value drawn; an aliased copy below it is lost in any image
PANEL = 3.0  # [inch], width of one mask
MOST_COLUMNS = 6
RESOLUTION = 120  # [dots per inch]


def draw_masks(masks: Sequence[tuple[str, Tensor, MaskSummary]], path: Path) -> None:
    """Draw each mask, its point spread function and the latter's profile, one above the other.

    More than six masks go on below the first.

    The point spread function is the image of a single bright point under this mask: sharp peaks
    beside the centre become copies of the anatomy, a low noise-like floor becomes noise.

    Args:
        masks: at least one (title, mask, summary); the mask as `make_mask` gives it.
        path: of the figure; its suffix chooses the format, such as .png or .svg.

    Raises:
        ValueError: "masks: ..." if there are none, "mask: ..." if one does not fit its summary,
            or the suffix names no format that matplotlib writes.
        OSError: the file cannot be written.
    """
    if not masks:
        raise ValueError("masks: expected at least one, got none")
    aspect = max(rows / cols for rows, cols in (summary.shape for _, _, summary in masks))
    n_bands = math.ceil(len(masks) / MOST_COLUMNS)
    n_columns = math.ceil(len(masks) / n_bands)
    heights = [PANEL * aspect + 0.8, PANEL * aspect + 0.2, 0.8 * PANEL] * n_bands  # with titles
    size = (PANEL * n_columns + 0.6, sum(heights))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(3 * n_bands, n_columns, squeeze=False, height_ratios=heights)
    columns = [column for band in np.split(axes, n_bands) for column in band.T]
    for column, (title, mask, summary) in zip(columns, masks, strict=False):
        full = full_mask(mask, summary.shape)
        spread = point_spread(full)
        _draw_mask(column[0], full, title, summary)
        _draw_spread(column[1], spread)
        _draw_profile(column[2], spread, masked_dims(mask))
    for empty in itertools.chain.from_iterable(columns[len(masks) :]):
        empty.set_axis_off()
    for band in np.split(axes, n_bands):
        band[2, 0].set_ylabel("largest response [dB]")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=RESOLUTION)


def point_spread(mask: Tensor) -> NDArray[np.float64]:
    """Compute a mask's point spread function relative to its peak.

    Args:
        mask: bool, (rows, cols).

    Returns:
        float64, (rows, cols), in [dB], 0 at the centre, not below `FLOOR`.
    """
    return decibels(mask_spread(mask))


def decibels(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn a relative point spread function into [dB], not below `FLOOR`."""
    return np.asarray(20 * np.log10(np.maximum(spread, 10 ** (FLOOR / 20))))


def draw_trajectory(
    trajectory: TrajectoryConfig, shape: tuple[int, int], path: Path, *, title: str
) -> None:
    """Draw the readouts of a trajectory, the first one bright, over its point spread function.

    Args:
        trajectory: what to draw.
        shape: (rows, cols) of the image.
        path: of the figure; its suffix chooses the format, such as .png or .svg.
        title: above it.

    Raises:
        ValueError: the suffix names no format that matplotlib writes.
        OSError: the file cannot be written.
    """
    height = PANEL * shape[0] / shape[1]  # [inch]
    figure = Figure(figsize=(PANEL + 0.6, 2 * height + 1.4), layout="constrained")
    above, below = figure.subplots(2, 1)
    readouts = trajectory.coords(shape).unflatten(0, (trajectory.n_readouts, -1))
    for number, readout in enumerate(readouts.numpy()):
        style = {"color": "C1", "zorder": 2} if number == 0 else {"color": "C0", "alpha": 0.6}
        above.plot(readout[:, 1], readout[:, 0], linewidth=0.6, **style)
    above.set(xlim=(-shape[1] / 2, shape[1] / 2), ylim=(shape[0] / 2, -shape[0] / 2))
    above.set_aspect("equal")
    above.tick_params(labelsize="small")
    above.set_title(
        f"{title}\n{_wrapped(summarise_trajectory(trajectory, shape))}", fontsize="small"
    )
    above.set_xlabel("[cycles per field of view]", fontsize="small")
    _draw_spread(below, decibels(trajectory_spread(trajectory, shape)))
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=RESOLUTION)


def _draw_mask(axes: Axes, mask: Tensor, title: str, summary: MaskSummary) -> None:
    axes.imshow(mask.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_title(f"{title}\n{_wrapped(summary)}", fontsize="small")
    axes.set_xticks([])
    axes.set_yticks([])


def _draw_spread(axes: Axes, spread: NDArray[np.float64]) -> None:
    axes.imshow(spread, cmap="magma", vmin=FLOOR, vmax=0)
    axes.set_title(f"point spread, {FLOOR:.0f} to 0 dB", fontsize="small")
    axes.set_xticks([])
    axes.set_yticks([])


def _draw_profile(axes: Axes, spread: NDArray[np.float64], dims: tuple[int, ...]) -> None:
    """Plot the largest response at each distance, along the axes the mask varies on."""
    for dim in dims:
        n = spread.shape[dim]
        name = "rows" if dim == -2 else "cols"
        axes.plot(np.arange(n) - n // 2, spread.max(axis=-3 - dim), linewidth=0.8, label=name)
    axes.set_ylim(FLOOR, 2)
    axes.set_xlabel("distance [pixels]", fontsize="small")
    axes.tick_params(labelsize="small")
    axes.legend(title="along", fontsize="x-small", title_fontsize="x-small", loc="lower right")


def _wrapped(summary: MaskSummary) -> str:
    """Break the summary into lines that fit over its panel."""
    parts = summary.describe().split(", ")
    return ",\n".join(", ".join(parts[start : start + 2]) for start in range(0, len(parts), 2))
