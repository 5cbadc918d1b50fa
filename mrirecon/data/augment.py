"""Vary training slices, so that a network learns reconstruction and not one person's anatomy.

Only the fully sampled images are varied; undersampling follows, so every variant has its own exact
target.
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from mrirecon.data.dataset import RawBatch

MOST_SHIFT = 0.15  # of the field of view, for an overlaid slice


@dataclass(frozen=True)
class AugmentationConfig:
    """Ways to vary a batch; the defaults leave it as it is.

    Attributes:
        flip: mirror rows, mirror cols, and exchange the two axes, each in half of the batches.
        gamma: contrast; images in [0, 1] are raised to a power that is drawn log-uniformly from
            [1 / gamma, gamma], one for each batch. At least 1.
        overlay: take the larger of each slice and another of the batch, shifted by up to 15 % of
            the field of view and dimmed at random. It puts structure where the training volumes
            have none, as around a brain whose skull was removed.
    """

    flip: bool = False
    gamma: float = 1.0
    overlay: bool = False

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse a gamma that is no range.

        Raises:
            ValueError: gamma below 1 or not finite.
        """
        if not 1 <= self.gamma < math.inf:
            raise ValueError(f"gamma: expected a finite number, 1 or more, got {self.gamma}")


def augment(batch: RawBatch, config: AugmentationConfig, *, seed: int) -> RawBatch:
    """Vary the images of a batch.

    Args:
        batch: raw slices; changed ones have the scale 1.
        config: how.
        seed: fixes every draw, on any device; give each step its own.

    Returns:
        The batch itself if nothing is to be varied, else a float32 one with images in [0, 1].
    """
    if config == AugmentationConfig():
        return batch
    draws = torch.rand(7, generator=torch.Generator().manual_seed(seed)).tolist()
    images = batch.images.float() / batch.scale[:, None, None]  # (batch, rows, cols)
    if config.flip:
        images = _flip(images, draws[:3])
    if config.gamma > 1:
        images = images ** (config.gamma ** (2 * draws[3] - 1))
    if config.overlay:
        images = torch.maximum(images, draws[4] * _shifted_neighbour(images, draws[5:7]))
    return replace(batch, images=images.contiguous(), scale=torch.ones_like(batch.scale))


def _flip(images: Tensor, draws: list[float]) -> Tensor:
    axes = [axis for axis, draw in zip((-2, -1), draws[:2], strict=True) if draw < 0.5]
    images = images.flip(axes) if axes else images
    return images.transpose(-2, -1) if draws[2] < 0.5 else images


def _shifted_neighbour(images: Tensor, draws: list[float]) -> Tensor:
    """Return for each slice the one before it in the batch, moved cyclically."""
    sizes = images.shape[-2:]
    shift = [round((2 * draw - 1) * MOST_SHIFT * n) for draw, n in zip(draws, sizes, strict=True)]
    return images.roll(1, dims=0).roll(shift, dims=(-2, -1))
