"""Undersampling masks: strategies, their exact making, and what they amount to."""

from mrirecon.sampling.config import SamplingConfig, Strategy
from mrirecon.sampling.masks import STRATEGIES, acceleration, make_mask, mask_batch
from mrirecon.sampling.summary import MaskSummary, full_mask, summarise

__all__ = [
    "STRATEGIES",
    "MaskSummary",
    "SamplingConfig",
    "Strategy",
    "acceleration",
    "full_mask",
    "make_mask",
    "mask_batch",
    "summarise",
]
