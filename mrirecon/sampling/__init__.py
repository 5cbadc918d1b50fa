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

__all__ = [
    "STRATEGIES",
    "MaskSummary",
    "Order",
    "SamplingConfig",
    "Strategy",
    "acceleration",
    "full_mask",
    "make_mask",
    "mask_batch",
    "radial_density",
    "radial_trajectory",
    "spiral_density",
    "spiral_trajectory",
    "summarise",
]
