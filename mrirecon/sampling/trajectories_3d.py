"""Trajectories through a slab: stacks of stars, and spokes in every direction of space.

Sources: rotated partitions, Zhou et al. 2017 (DOI 10.1002/mrm.26625); golden means in two
dimensions for directions of spokes, Chan et al. 2009 (DOI 10.1002/mrm.21837).
"""

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from mrirecon.nufft import ramp_density
from mrirecon.sampling.checks import expect
from mrirecon.sampling.trajectories import Order, radial_density, radial_trajectory

Rotation = Literal["aligned", "golden"]
GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
GOLDEN_MEANS = (0.4655712318767680, 0.6823278038280193)
"""Of the height and of the turn: 1 / x^2 and 1 / x for the real root x of x^3 = x^2 + 1."""


def stack_of_stars(
    n_spokes: int,
    n_samples: int,
    shape: tuple[int, int, int],
    *,
    order: Order = "golden",
    rotation: Rotation = "golden",
    first_angle: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Lay the spokes of `radial_trajectory` in each partition of a slab, partition by partition.

    Partitions are Cartesian: a Fourier transform along the depth leaves a radial slice of each,
    if they are aligned.

    Args:
        n_spokes: of each partition, 1 or more.
        n_samples: of each spoke, 2 or more.
        shape: (depth, rows, cols) of the image; depth is the number of partitions.
        order: of the spokes in a partition, see `readout_angles`.
        rotation: `aligned`, the same angles in each partition; or `golden`, each partition turned
            against the one before by the golden ratio of the angle between neighbouring spokes, so
            that undersampling spreads along the depth too.
        first_angle: of the first spoke, [degrees], 0 along the columns' axis.
        dtype: float32 or float64.

    Returns:
        (depth * n_spokes * n_samples, 3), cycles per field of view, order (depth, row, col), in
        [-n / 2, n / 2).

    Raises:
        ValueError: a count or size is too small, or an unknown order or rotation.

    Examples:
        >>> from mrirecon.sampling import stack_of_stars
        >>> stack_of_stars(n_spokes=10, n_samples=64, shape=(16, 32, 32)).shape
        torch.Size([10240, 3])
    """
    _require_shape(shape)
    wanted = f"one of {', '.join(get_args(Rotation))}"
    expect("rotation", rotation in get_args(Rotation), wanted, rotation)
    depth, plane = shape[0], (shape[1], shape[2])
    expect("n_spokes", n_spokes >= 1, "1 or more", n_spokes)
    turn = 0.0 if rotation == "aligned" else GOLDEN_RATIO * 180 / n_spokes
    partitions = []
    for number in range(depth):
        angle = first_angle + turn * number % (180 / n_spokes)
        star = radial_trajectory(
            n_spokes, n_samples, plane, order=order, first_angle=angle, dtype=dtype
        )
        partitions.append(torch.nn.functional.pad(star, (1, 0), value=number - depth // 2))
    return torch.cat(partitions)


def stack_of_stars_density(n_spokes: int, n_samples: int, shape: tuple[int, int, int]) -> Tensor:
    """Give the volume of k-space around each sample of `stack_of_stars`, as if turned evenly.

    Returns:
        float32, (depth * n_spokes * n_samples,), [cells of the Cartesian grid].
    """
    return radial_density(n_spokes, n_samples, (shape[1], shape[2])).repeat(shape[0])


def kooshball(
    n_spokes: int,
    n_samples: int,
    shape: tuple[int, int, int],
    *,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Lay spokes through the centre of k-space in every direction, by golden means.

    Spoke m points to the height frac(m a) and the angle 2 pi frac(m b) of the half sphere, with
    the golden means a and b, so that any run of successive spokes covers all directions evenly.
    Spokes end on the ellipsoid that touches the faces of k-space; their samples lie as those of
    `radial_trajectory`.

    Args:
        n_spokes: 1 or more; pi / 2 times the square of the pixels across measure k-space fully.
        n_samples: of each spoke, 2 or more.
        shape: (depth, rows, cols) of the image.
        dtype: float32 or float64.

    Returns:
        (n_spokes * n_samples, 3), cycles per field of view, order (depth, row, col), in
        [-n / 2, n / 2].

    Raises:
        ValueError: a count or size is too small.

    Examples:
        >>> from mrirecon.sampling import kooshball
        >>> kooshball(n_spokes=100, n_samples=64, shape=(32, 32, 32)).shape
        torch.Size([6400, 3])
    """
    _require_shape(shape)
    expect("n_spokes", n_spokes >= 1, "1 or more", n_spokes)
    expect("n_samples", n_samples >= 2, "2 or more", n_samples)
    spoke = torch.arange(n_spokes, dtype=torch.float64)
    height, angle = spoke * GOLDEN_MEANS[0] % 1, 2 * math.pi * (spoke * GOLDEN_MEANS[1] % 1)
    flat = (1 - height**2).sqrt()
    direction = torch.stack([height, flat * angle.sin(), flat * angle.cos()], dim=-1)
    radius = (torch.arange(n_samples, dtype=torch.float64) - n_samples // 2) / n_samples
    points = direction[:, None] * radius[:, None] * torch.tensor(shape)
    return points.flatten(0, 1).to(dtype)


def kooshball_density(n_spokes: int, n_samples: int, shape: tuple[int, int, int]) -> Tensor:
    """Give the volume of k-space around each sample of `kooshball`, as if spread evenly.

    `ramp_density` where k-space is round, which scales to the ellipsoid of `shape`.

    Returns:
        float32, (n_spokes * n_samples,), [cells of the Cartesian grid].
    """
    spokes = kooshball(n_spokes, n_samples, (1, 1, 1), dtype=torch.float64)
    return (math.prod(shape) * ramp_density(spokes, n_spokes)).float()


def _require_shape(shape: tuple[int, int, int]) -> None:
    holds = len(shape) == 3 and min(shape) >= 1
    expect("shape", holds, "(depth, rows, cols), each 1 or more", tuple(shape))
