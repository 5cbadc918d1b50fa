"""Undersampling masks: strategies, their exact making, and what they amount to."""

from mrirecon.sampling.config import SamplingConfig, Strategy
from mrirecon.sampling.masks import STRATEGIES, acceleration, make_mask, mask_batch
from mrirecon.sampling.summary import MaskSummary, full_mask, summarise
from mrirecon.sampling.trajectories import (
    Order,
    radial_density,
    radial_trajectory,
    spiral_density,
    spiral_trajectory,
)
from mrirecon.sampling.trajectory_config import (
    TrajectoryConfig,
    TrajectoryKind,
    plan_trajectory,
    summarise_trajectory,
    trajectory_mask,
)

Undersampling = SamplingConfig | TrajectoryConfig
"""How k-space is undersampled: by a mask on the grid, or along a trajectory off it."""

__all__ = [
    "STRATEGIES",
    "MaskSummary",
    "Order",
    "SamplingConfig",
    "Strategy",
    "TrajectoryConfig",
    "TrajectoryKind",
    "Undersampling",
    "acceleration",
    "full_mask",
    "make_mask",
    "mask_batch",
    "plan_trajectory",
    "radial_density",
    "radial_trajectory",
    "spiral_density",
    "spiral_trajectory",
    "summarise",
    "summarise_trajectory",
    "trajectory_mask",
]
