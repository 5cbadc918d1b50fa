"""What to sample off the grid: the description of a trajectory, and its plan, made once."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from mrirecon.nufft import Nufft
from mrirecon.sampling.checks import expect
from mrirecon.sampling.config import Extent
from mrirecon.sampling.masks import acceleration
from mrirecon.sampling.spiral_design import (
    SpiralDesign,
    designed_spiral,
    designed_spiral_density,
)
from mrirecon.sampling.summary import MaskSummary, sampled_centre
from mrirecon.sampling.trajectories import (
    Order,
    radial_density,
    radial_trajectory,
    spiral_density,
    spiral_trajectory,
    visited_cells,
)

TrajectoryKind = Literal["radial", "spiral"]
_ACCURACY = 1e-5  # of the transform; data consistency amplifies its errors, up to 100 times


@dataclass(frozen=True)
class TrajectoryConfig:
    """Describe the sampling of k-space off the grid, by readouts through its centre.

    Attributes:
        kind: `radial` spokes, or Archimedean `spiral` interleaves that at this number of readouts
            turn often enough to measure k-space fully.
        n_readouts: spokes or interleaves, 1 or more.
        n_samples: of each readout, 2 or more.
        order: how readouts follow each other: `golden`, `tiny_golden` or `uniform` angles.
        first_angle: of the first readout, [degrees].
        n_turns: of each interleave; None for as many as measure k-space fully. Fewer undersample.
        design: makes spirals as fast as gradients allow, by the distance of their arms in place of
            n_turns; None winds them at an even pace, whatever gradients that takes.

    Examples:
        >>> from mrirecon.sampling import TrajectoryConfig, summarise_trajectory
        >>> spokes = TrajectoryConfig("radial", n_readouts=60, n_samples=512)
        >>> summary = summarise_trajectory(spokes, (256, 256))
        >>> summary.kind, summary.n_readouts, round(summary.scan_time_factor, 2)
        ('spokes', 60, 4.27)
    """

    kind: TrajectoryKind = "radial"
    n_readouts: int = 60
    n_samples: int = 512
    order: Order = "golden"
    first_angle: float = 0.0
    n_turns: float | None = None
    design: SpiralDesign | None = None

    per: ClassVar[Extent] = "run"
    """All slices of a run share the trajectory, and so its plan."""
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse values that describe no trajectory.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        for name, choices in (("kind", get_args(TrajectoryKind)), ("order", get_args(Order))):
            got = getattr(self, name)
            expect(name, got in choices, f"one of {', '.join(choices)}", got)
        expect("n_readouts", self.n_readouts >= 1, "1 or more", self.n_readouts)
        expect("n_samples", self.n_samples >= 2, "2 or more", self.n_samples)
        expect("first_angle", math.isfinite(self.first_angle), "a finite angle", self.first_angle)
        if self.n_turns is not None:
            wanted = f"none for {self.kind}, whose readouts do not turn"
            expect("n_turns", self.kind == "spiral", wanted, self.n_turns)
            expect("n_turns", 0 < self.n_turns < math.inf, "above 0", self.n_turns)
        if self.design is not None:
            wanted = f"none for {self.kind}, which is played at a constant gradient"
            expect("design", self.kind == "spiral", wanted, self.design)
            wanted = "none beside a design, which gives them by the distance of arms"
            expect("n_turns", self.n_turns is None, wanted, self.n_turns)

    def coords(self, shape: tuple[int, int], dtype: torch.dtype = torch.float32) -> Tensor:
        """Give the trajectory, `dtype`, (samples, 2), [cycles per field of view], (row, col)."""
        counts = self.n_readouts, self.n_samples, shape
        order, angle = self.order, self.first_angle
        if self.kind == "radial":
            return radial_trajectory(*counts, order=order, first_angle=angle, dtype=dtype)
        if self.design is not None:
            return designed_spiral(
                *counts, self.design, order=order, first_angle=angle, dtype=dtype
            )
        return spiral_trajectory(
            *counts, n_turns=self.n_turns, order=order, first_angle=angle, dtype=dtype
        )

    def density(self, shape: tuple[int, int]) -> Tensor:
        """Give the area around each sample, float32, (samples,), [cells of the grid]."""
        if self.design is not None:
            return designed_spiral_density(self.n_readouts, self.n_samples, shape, self.design)
        density = radial_density if self.kind == "radial" else spiral_density
        return density(self.n_readouts, self.n_samples, shape)


@lru_cache(maxsize=16)
def plan_trajectory(
    config: TrajectoryConfig, shape: tuple[int, int], device: torch.device
) -> Nufft:
    """Plan the transform to a trajectory's samples, with their density; kept for further calls.

    Made outside inference mode, so that evaluation and training can share it.

    Examples:
        >>> import torch
        >>> from mrirecon.sampling import TrajectoryConfig, plan_trajectory
        >>> config = TrajectoryConfig("radial", n_readouts=30, n_samples=128)
        >>> nufft = plan_trajectory(config, (64, 64), torch.device("cpu"))
        >>> nufft.coords.shape, nufft.density.shape
        (torch.Size([3840, 2]), torch.Size([3840]))
    """
    with torch.inference_mode(mode=False), torch.no_grad():
        nufft = Nufft(config.coords(shape), shape, _ACCURACY, density=config.density(shape))
        return nufft.to(device)


def trajectory_mask(config: TrajectoryConfig, shape: tuple[int, int]) -> Tensor:
    """Mark the grid's cells that hold a sample: bool, (rows, cols)."""
    return visited_cells(config.coords(shape), shape)


def summarise_trajectory(config: TrajectoryConfig, shape: tuple[int, int]) -> MaskSummary:
    """Measure a trajectory as `summarise` measures a mask.

    Its samples, acceleration and centre are those of the grid's cells that it visits. All
    readouts count the same time, against the lines of the shorter axis.
    """
    mask = trajectory_mask(config, shape)
    return MaskSummary(
        shape=shape,
        kind="spokes" if config.kind == "radial" else "interleaves",
        n_readouts=config.n_readouts,
        n_samples=int(mask.sum()),
        acceleration=acceleration(mask),
        calibration=sampled_centre(mask),
        largest_gap=None,
        scan_time_factor=min(shape) / config.n_readouts,
    )
