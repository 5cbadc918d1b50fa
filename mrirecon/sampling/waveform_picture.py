"""Draw what a scanner plays: readouts in k-space, and their gradients beside its limits."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.files import atomic_path
from mrirecon.sampling.feasibility import check_coords
from mrirecon.sampling.scanner import AcquisitionConfig, ScannerProfile
from mrirecon.sampling.waveforms import AT_CENTRE, gradient_waveform, slew_waveform

MOST_READOUTS = 200  # drawn in k-space; more hide each other
RESOLUTION = 120  # [dots per inch]
AXES = ("depth", "rows", "cols")


def draw_waveforms(
    coords: Tensor,
    shape: tuple[int, ...],
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
    path: Path,
    *,
    title: str,
) -> None:
    """Draw readouts in k-space, and the gradient and slew rate of the first one over time.

    Both are drawn for each axis and as the length of the vector, which the limits hold for.

    Args:
        coords: float64, (readouts, samples, 2 or 3), [cycles per field of view], as of
            `check_coords`.
        shape: (rows, cols) or (depth, rows, cols) of the image.
        acquisition: times and fields of view.
        profile: the scanner, whose limits are drawn.
        path: of the figure; its suffix chooses the format, such as .png or .svg.
        title: above it.

    Raises:
        ValueError: the suffix names no format that matplotlib writes, or as `check_coords`.
        OSError: the file cannot be written.
    """
    found = check_coords(coords, shape, acquisition, profile)
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    verdict = "; ".join(found.problems) or f"{profile.name} can play it"
    figure.suptitle(f"{title}: {found.describe()}\n{verdict}", fontsize="small", wrap=True)
    is_3d = len(shape) == 3
    kspace = figure.add_subplot(1, 3, 1, projection="3d" if is_3d else None)
    _draw_readouts(kspace, coords[:MOST_READOUTS].numpy())
    dwell = acquisition.dwell_time
    extents = (acquisition.slab_thickness, *acquisition.field_of_view)[-len(shape) :]
    wavenumber = coords[:1].double() / torch.tensor(extents)
    gradient = gradient_waveform(wavenumber, dwell, profile.gyromagnetic_ratio)
    slew = slew_waveform(gradient, dwell, is_at_rest=coords[:1, 0].norm(dim=-1) < AT_CENTRE)
    time = 1e3 * dwell * np.arange(gradient.shape[1])  # [ms]
    for place, name, waveform, limit in (
        (2, "gradient [mT/m]", 1e3 * gradient, 1e3 * profile.max_gradient),
        (3, "slew rate [T/m/s]", slew, profile.max_slew),
    ):
        axes = figure.add_subplot(1, 3, place)
        _draw_waveform(axes, time, waveform[0].numpy(), limit)
        axes.set_title(f"{name} of the first readout", fontsize="small")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=RESOLUTION)


def _draw_readouts(axes: Axes, readouts: NDArray[np.float64]) -> None:
    """Draw (readouts, samples, 2 or 3) with the first one bright."""
    for number, readout in enumerate(readouts):
        # Across, down (and up): the axes of an image read from the last to the first.
        axes.plot(
            *readout.T[::-1],
            linewidth=1.2 if number == 0 else 0.5,
            color="C1" if number == 0 else "C0",
            alpha=1 if number == 0 else 0.5,
            zorder=2 if number == 0 else 1,
        )
    if readouts.shape[-1] == 2:
        axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.tick_params(labelsize="x-small")
    axes.set_title("k-space [cycles per field of view]", fontsize="small")


def _draw_waveform(axes: Axes, time: NDArray[Any], waveform: NDArray[Any], limit: float) -> None:
    """Draw (samples, 2 or 3) over time, with the limit of its length."""
    names = AXES[-waveform.shape[1] :]
    for name, component in zip(names, waveform.T, strict=True):
        axes.plot(time, component, linewidth=0.7, label=name)
    axes.plot(time, np.linalg.norm(waveform, axis=1), "k", linewidth=1.2, label="vector")
    axes.axhline(limit, color="C3", linestyle="--", linewidth=1, label="limit")
    axes.set_xlabel("time [ms]", fontsize="small")
    axes.tick_params(labelsize="x-small")
    axes.legend(
        fontsize="x-small",
        ncols=len(names) + 2,
        frameon=False,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.15),
    )
