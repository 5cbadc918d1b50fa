"""Radial and spiral trajectories off the grid, with the density that gridding divides by.

Sources: golden angle, Winkelmann et al. 2007 (DOI 10.1109/TMI.2006.885337); tiny golden angles,
Wundrak et al. 2015 (DOI 10.1109/TMI.2014.2382572).
"""

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from mrirecon.nufft import ramp_density
from mrirecon.sampling.checks import expect
from mrirecon.sampling.radial import GOLDEN_ANGLE

Order = Literal["golden", "tiny_golden", "uniform"]
TINY_GOLDEN_ANGLE = 23.628143  # [degrees], 180 / (golden ratio + 6): the seventh of the family


def readout_angles(
    n_readouts: int, *, order: Order = "golden", first_angle: float = 0.0, full_turn: float = 180.0
) -> Tensor:
    """Give the angle of each spoke, or of the start of each spiral interleave.

    Args:
        n_readouts: 1 or more.
        order: each `golden` angle (111.246 degrees) or `tiny_golden` angle (23.628 degrees, which
            spares fast scans eddy currents) after the one before, so that any run of successive
            readouts covers k-space evenly; or `uniform`, full_turn / n_readouts.
        first_angle: of the first readout, [degrees].
        full_turn: [degrees] after which a readout repeats: 180 for spokes through the centre, 360
            for interleaves that begin there, whose golden angles are twice as wide.

    Returns:
        float64, (n_readouts,), [degrees], in [0, full_turn).

    Raises:
        ValueError: a count below 1, or an unknown order.
    """
    expect("n_readouts", n_readouts >= 1, "1 or more", n_readouts)
    expect("order", order in get_args(Order), f"one of {', '.join(get_args(Order))}", order)
    scale = full_turn / 180
    steps = {
        "golden": GOLDEN_ANGLE * scale,
        "tiny_golden": TINY_GOLDEN_ANGLE * scale,
        "uniform": full_turn / n_readouts,
    }
    readouts = torch.arange(n_readouts, dtype=torch.float64)
    return (first_angle + steps[order] * readouts) % full_turn


def radial_trajectory(
    n_spokes: int,
    n_samples: int,
    shape: tuple[int, int],
    *,
    order: Order = "golden",
    first_angle: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Lay spokes through the centre of k-space, spoke after spoke.

    Sample i of a spoke lies at radius (i - n_samples // 2) / n_samples of k-space's width, so that
    sample n_samples // 2 is the centre. Spokes end on the ellipse that touches the edges of
    k-space: a circle in 1/m where pixels are square. As many samples as pixels across measure the
    field of view; twice as many keep what lies beside it from folding in.

    Args:
        n_spokes: 1 or more; pi / 2 times the pixels across measure k-space fully.
        n_samples: of each spoke, 2 or more.
        shape: (rows, cols) of the image.
        order: see `readout_angles`.
        first_angle: [degrees], 0 along the columns' axis, growing towards the rows'.
        dtype: float32 or float64.

    Returns:
        (n_spokes * n_samples, 2), cycles per field of view, order (row, col), in [-n / 2, n / 2).

    Raises:
        ValueError: a count is too small, or an unknown order.

    Examples:
        >>> from mrirecon.sampling import radial_trajectory
        >>> radial_trajectory(n_spokes=60, n_samples=512, shape=(256, 256)).shape
        torch.Size([30720, 2])
        >>> radial_trajectory(1, 4, (8, 8)).round(decimals=3)[:, 1]  # along the columns
        tensor([-4., -2.,  0.,  2.])
    """
    angles = torch.deg2rad(readout_angles(n_spokes, order=order, first_angle=first_angle))
    expect("n_samples", n_samples >= 2, "2 or more", n_samples)
    radius = (torch.arange(n_samples, dtype=torch.float64) - n_samples // 2) / n_samples
    return place_readouts(angles[:, None].expand(-1, n_samples), radius, shape).to(dtype)


def radial_density(n_spokes: int, n_samples: int, shape: tuple[int, int]) -> Tensor:
    """Give the area of k-space around each sample of `radial_trajectory`, as if turned evenly.

    `ramp_density` where k-space is round, which scales to the ellipse of `shape`: gridding with
    these weights keeps an image's scale.

    Returns:
        float32, (n_spokes * n_samples,), [cells of the Cartesian grid].

    Examples:
        >>> from mrirecon.sampling import radial_density
        >>> weights = radial_density(402, 512, (256, 256))
        >>> weights.shape
        torch.Size([205824])
        >>> round(float(weights.sum()))  # cells of the disc in 256 x 256
        51472
    """
    spokes = radial_trajectory(n_spokes, n_samples, (1, 1), dtype=torch.float64)
    return (math.prod(shape) * ramp_density(spokes, n_spokes)).float()


def spiral_trajectory(
    n_interleaves: int,
    n_samples: int,
    shape: tuple[int, int],
    *,
    n_turns: float | None = None,
    order: Order = "uniform",
    first_angle: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Wind Archimedean spirals from the centre of k-space to its edge, one after the other.

    Radius and angle grow evenly along an interleave: sample i lies at radius i / n_samples of half
    of k-space's width. The gradients that play it are strongest at the edge.

    Args:
        n_interleaves: 1 or more.
        n_samples: of each interleave, 2 or more.
        shape: (rows, cols) of the image.
        n_turns: of each interleave; None takes max(shape) / (2 n_interleaves), whose arms lie one
            cycle per field of view apart, which measures k-space fully.
        order: of the interleaves, see `readout_angles`; golden angles are those of a full turn.
        first_angle: [degrees], 0 along the columns' axis, growing towards the rows'.
        dtype: float32 or float64.

    Returns:
        (n_interleaves * n_samples, 2), cycles per field of view, order (row, col), in
        [-n / 2, n / 2).

    Raises:
        ValueError: a count is too small, or an unknown order.

    Examples:
        >>> from mrirecon.sampling import spiral_trajectory
        >>> spiral_trajectory(n_interleaves=16, n_samples=1024, shape=(256, 256)).shape
        torch.Size([16384, 2])
    """
    starts = readout_angles(n_interleaves, order=order, first_angle=first_angle, full_turn=360.0)
    expect("n_samples", n_samples >= 2, "2 or more", n_samples)
    turns = max(shape) / (2 * n_interleaves) if n_turns is None else n_turns
    expect("n_turns", 0 < turns < math.inf, "a finite number above 0", turns)
    part = torch.arange(n_samples, dtype=torch.float64) / n_samples
    return place_readouts(torch.deg2rad(starts[:, None] + 360 * turns * part), part / 2, shape).to(
        dtype
    )


def spiral_density(n_interleaves: int, n_samples: int, shape: tuple[int, int]) -> Tensor:
    """Give the area of k-space around each sample of `spiral_trajectory`, as if turned evenly.

    A ring is shared by all interleaves, the disc at the centre too.

    Returns:
        float32, (n_interleaves * n_samples,), [cells of the Cartesian grid].

    Examples:
        >>> from mrirecon.sampling import spiral_density
        >>> weights = spiral_density(16, 1024, (256, 256))
        >>> weights.shape
        torch.Size([16384])
    """
    part = torch.arange(n_samples, dtype=torch.float64) / n_samples
    ring = math.pi / 2 * part.clamp_min(0.125 / n_samples) / n_samples
    return (ring * math.prod(shape) / n_interleaves).repeat(n_interleaves).float()


def visited_cells(coords: Tensor, shape: tuple[int, int]) -> Tensor:
    """Mark the cells of the Cartesian grid that hold a sample: a trajectory as a picture.

    Args:
        coords: (samples, 2), cycles per field of view, order (row, col).
        shape: (rows, cols).

    Returns:
        bool, (rows, cols), centre at index n // 2.
    """
    mask = torch.zeros(shape, dtype=torch.bool)
    row, col = (
        (coords[:, axis].cpu().round().long() + n // 2).clamp(0, n - 1)
        for axis, n in enumerate(shape)
    )
    mask[row, col] = True
    return mask


def place_readouts(angles: Tensor, radius: Tensor, shape: tuple[int, int]) -> Tensor:
    """Turn angles [radians] and radii [of k-space's width], (readouts, samples), into points."""
    rows, cols = shape
    points = torch.stack([rows * radius * angles.sin(), cols * radius * angles.cos()], dim=-1)
    return points.flatten(0, 1)
