"""Spirals that a scanner plays as fast as its gradients allow, of even or growing arm spacing.

The path is chosen first, by the distance between neighbouring arms; then each point of it is
passed at the highest speed that gradient and slew rate allow.

Sources: Glover 1999 (DOI 10.1002/(SICI)1522-2594(199908)42:2<412::AID-MRM25>3.0.CO;2-U) for the two
regimes, limited by slew rate and by gradient; Kim, Adalsteinsson and Spielman 2003
(DOI 10.1002/mrm.10493) for variable density; Lustig, Kim and Pauly 2008
(DOI 10.1109/TMI.2008.922699) for the time-optimal speed along any path.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline
from torch import Tensor

from mrirecon.sampling.checks import expect
from mrirecon.sampling.scanner import CLINICAL_3T, PROTON
from mrirecon.sampling.trajectories import Order, place_readouts, readout_angles

STEPS_PER_TURN, FEWEST_STEPS = 64, 4096
"""Of the integration; halving the steps further changes the duration by less than 2e-4."""

MARGIN = 5e-4
"""Of the slew rate, left for what finite steps add: up to 1.2e-4 in 1,500 random designs."""


@dataclass(frozen=True)
class SpiralDesign:
    """Describe spirals by the distance of their arms and the limits they are played at.

    Attributes:
        pixel_size: of the image, [m]; k-space reaches to 1 / (2 pixel_size).
        max_gradient: [T/m].
        max_slew: [T/m/s].
        centre_spacing: between neighbouring arms of all interleaves at the centre, [cycles per
            field of view]; 1 measures k-space fully there, 2 half of it.
        edge_spacing: the same at the edge, at least centre_spacing; between, it grows evenly.
        gyromagnetic_ratio: over 2 pi, [Hz/T].
    """

    pixel_size: float = 1e-3
    max_gradient: float = CLINICAL_3T.max_gradient
    max_slew: float = CLINICAL_3T.max_slew
    centre_spacing: float = 1.0
    edge_spacing: float = 1.0
    gyromagnetic_ratio: float = PROTON

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse values that describe no spiral.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        for name in ("pixel_size", "max_gradient", "max_slew", "gyromagnetic_ratio"):
            expect(name, 0 < getattr(self, name) < math.inf, "above 0", getattr(self, name))
        centre, edge = self.centre_spacing, self.edge_spacing
        expect("centre_spacing", 0 < centre < math.inf, "above 0", centre)
        wanted = f"at least centre_spacing = {centre:g}"
        expect("edge_spacing", centre <= edge < math.inf, wanted, edge)


@dataclass(frozen=True)
class SpiralPath:
    """Hold the path of one interleave and when it is passed.

    Attributes:
        duration: from the centre at rest to the edge at full speed, [s].
        turns_scale: of `angle`, [radians], pi pixels / interleaves.
        design: that it was made for.
        radius_at: gives the radius, [of half of k-space's width], at times [s].
    """

    duration: float
    turns_scale: float
    design: SpiralDesign
    radius_at: CubicHermiteSpline

    def radius(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the radius at times [s], in [0, 1] of half of k-space's width."""
        return np.clip(self.radius_at(time), 0, 1)

    def angle(self, radius: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the angle at radii, [radians], 0 at the centre."""
        return self.turns_scale * _integrated_density(radius, self.design)


@lru_cache(maxsize=16)
def design_spiral(n_interleaves: int, n_pixels: int, design: SpiralDesign) -> SpiralPath:
    """Find the fastest way along one interleave.

    With the distance l along the path, its curvature kappa(l) and the speed v = dl/dt, the
    acceleration across the path is kappa v^2 and the one along it v dv/dl, so that
    d(v^2)/dl = 2 sqrt(a^2 - (kappa v^2)^2), v <= v_max. The curvature falls on the way out, so
    that the speed never has to. Implicit Euler steps are stable where the slew rate limits.

    Args:
        n_interleaves: 1 or more, which share the arms.
        n_pixels: across the image, along its longer axis.
        design: distance of the arms, and limits.

    Returns:
        The path, at rest at the centre.

    Raises:
        ValueError: "n_interleaves: ..." below 1.

    Examples:
        >>> from mrirecon.sampling import SpiralDesign, design_spiral
        >>> path = design_spiral(16, 256, SpiralDesign())
        >>> 0.001 < path.duration < 0.02  # from the centre to the edge, [s]
        True
    """
    expect("n_interleaves", n_interleaves >= 1, "1 or more", n_interleaves)
    turns_scale = math.pi * n_pixels / n_interleaves
    n_turns = turns_scale / (2 * math.pi * design.centre_spacing)
    n_steps = max(FEWEST_STEPS, math.ceil(STEPS_PER_TURN * n_turns))
    radius = np.linspace(0, 1, n_steps + 1)
    slope, curvature = _shape_of(radius, turns_scale, design)
    edge = 1 / (2 * design.pixel_size * design.gyromagnetic_ratio)  # [T s/m], at radius 1
    length = np.diff(radius) * (slope[1:] + slope[:-1]) / 2
    fastest = design.max_gradient / edge  # [1/s]
    strongest = (1 - MARGIN) * design.max_slew / edge  # [1/s^2]
    speed = _speeds(length, curvature, fastest, strongest)
    time = np.concatenate([[0], np.cumsum(2 * length / (speed[1:] + speed[:-1]))])
    return SpiralPath(
        duration=float(time[-1]),
        turns_scale=turns_scale,
        design=design,
        radius_at=CubicHermiteSpline(time, radius, speed / slope),
    )


def designed_spiral(
    n_interleaves: int,
    n_samples: int,
    shape: tuple[int, int],
    design: SpiralDesign,
    *,
    order: Order = "uniform",
    first_angle: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Sample the interleaves of a design evenly in time, from the centre of k-space outwards.

    The dwell time is `design_spiral(...).duration / n_samples`; played with a longer one, the
    spiral asks for less than the design's limits.

    Args:
        n_interleaves: 1 or more.
        n_samples: of each interleave, 2 or more.
        shape: (rows, cols) of the image, of square pixels.
        design: distance of the arms, and limits.
        order: of the interleaves, see `readout_angles`; golden angles are those of a full turn.
        first_angle: [degrees], 0 along the columns' axis, growing towards the rows'.
        dtype: float32 or float64.

    Returns:
        (n_interleaves * n_samples, 2), cycles per field of view, order (row, col), in
        [-n / 2, n / 2].

    Raises:
        ValueError: a count is too small, or an unknown order.
    """
    starts = readout_angles(n_interleaves, order=order, first_angle=first_angle, full_turn=360.0)
    expect("n_samples", n_samples >= 2, "2 or more", n_samples)
    path = design_spiral(n_interleaves, max(shape), design)
    radius = path.radius(path.duration * np.arange(n_samples) / n_samples)
    angle = torch.deg2rad(starts)[:, None] + torch.from_numpy(path.angle(radius))
    return place_readouts(angle, torch.from_numpy(radius) / 2, shape).to(dtype)


def designed_spiral_density(
    n_interleaves: int, n_samples: int, shape: tuple[int, int], design: SpiralDesign
) -> Tensor:
    """Give the area of k-space around each sample of `designed_spiral`, as if turned evenly.

    All interleaves share the ring between the radii half a sample before and after.

    Returns:
        float32, (n_interleaves * n_samples,), [cells of the Cartesian grid].
    """
    path = design_spiral(n_interleaves, max(shape), design)
    halves = np.maximum(np.arange(n_samples + 1) - 0.5, 0) / n_samples
    ring = np.diff(path.radius(path.duration * halves) ** 2)
    area = math.pi / 4 * math.prod(shape) / n_interleaves
    return torch.from_numpy(area * ring).repeat(n_interleaves).float()


def _shape_of(
    radius: NDArray[np.float64], turns_scale: float, design: SpiralDesign
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give dl/dr and the curvature of the spiral z = r exp(i angle(r)), in units of the radius.

    With q = d angle / dr they are |z'| = sqrt(1 + (r q)^2) and
    Im(conj(z') z'') / |z'|^3 = (2 q + r q' + r^2 q^3) / |z'|^3.
    """
    growth = design.edge_spacing - design.centre_spacing
    spacing = design.centre_spacing + growth * radius
    q = turns_scale / spacing
    dq = -q * growth / spacing
    slope = np.sqrt(1 + (radius * q) ** 2)
    return slope, (2 * q + radius * dq + radius**2 * q**3) / slope**3


def _integrated_density(radius: NDArray[np.float64], design: SpiralDesign) -> NDArray[np.float64]:
    """Integrate 1 / spacing from the centre to radii."""
    growth = design.edge_spacing - design.centre_spacing
    if growth == 0:
        return radius / design.centre_spacing
    return np.asarray(np.log1p(growth / design.centre_spacing * radius) / growth)


def _speeds(
    length: NDArray[np.float64], curvature: NDArray[np.float64], fastest: float, strongest: float
) -> NDArray[np.float64]:
    """Integrate u = v^2 over steps of `length`: u' = 2 sqrt(a^2 - (kappa u)^2), u <= v_max^2.

    An implicit step solves (u - u0)^2 = 4 h^2 (a^2 - kappa^2 u^2) for the larger u.
    """
    squares = [0.0]
    for step, bend in zip(length.tolist(), curvature[1:].tolist(), strict=True):
        before = squares[-1]
        scale = 1 + (2 * step * bend) ** 2
        inside = before**2 - scale * (before**2 - (2 * step * strongest) ** 2)
        squares.append(min((before + math.sqrt(max(inside, 0))) / scale, fastest**2))
    return np.sqrt(squares)
