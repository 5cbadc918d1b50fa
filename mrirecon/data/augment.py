"""Vary training slices, so that a network learns reconstruction and not one person's anatomy.

Only the fully sampled images are varied; undersampling follows, so every variant has its own exact
target. Complex images of coils are varied alike: all coils and both parts of a number together.
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from mrirecon.data.dataset import RawBatch

MOST_SHIFT = 0.15  # of the field of view, for an overlaid slice


@dataclass(frozen=True)
class AugmentationConfig:
    """Ways to vary a batch; the defaults leave it as it is.

    Attributes:
        flip: mirror rows, mirror cols, and exchange the two axes, each in half of the batches.
        rotate: largest angle, in degrees, by which a batch is turned about its centre; the angle is
            drawn evenly. Pixels between are interpolated (bilinear), which smooths noise.
        gamma: contrast; images in [0, 1] are raised to a power that is drawn log-uniformly from
            [1 / gamma, gamma], one for each batch; phases stay. At least 1.
        overlay: take the larger of each slice and another of the batch, shifted by up to 15 % of
            the field of view and dimmed at random. It puts structure where the training volumes
            have none, as around a brain whose skull was removed. Of magnitudes alone.
    """

    flip: bool = False
    rotate: float = 0.0
    gamma: float = 1.0
    overlay: bool = False

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        """Refuse ranges that are none.

        Raises:
            ValueError: gamma below 1 or not finite, or an angle not in [0, 180].
        """
        if not 1 <= self.gamma < math.inf:
            raise ValueError(f"gamma: expected a finite number, 1 or more, got {self.gamma}")
        if not 0 <= self.rotate <= 180:
            raise ValueError(f"rotate: expected 0 to 180 degrees, got {self.rotate}")


def augment(batch: RawBatch, config: AugmentationConfig, *, seed: int) -> RawBatch:
    """Vary the images of a batch.

    Args:
        batch: raw slices; changed ones have the scale 1.
        config: how.
        seed: fixes every draw, on any device; give each step its own.

    Returns:
        The batch itself if nothing is to be varied, else one with magnitudes in [0, 1], float32 or
        complex64.

    Raises:
        ValueError: complex images are to be overlaid.
    """
    if config == AugmentationConfig():
        return batch
    if config.overlay and batch.is_complex:
        raise ValueError("overlay: expected magnitudes, got complex images")
    draws = torch.rand(8, generator=torch.Generator().manual_seed(seed)).tolist()
    scale = batch.scale.reshape(-1, *[1] * (batch.images.dim() - 1))
    images = (batch.images if batch.is_complex else batch.images.float()) / scale
    if config.flip:
        images = _flip(images, draws[:3])
    if config.rotate > 0:
        images = _rotate(images, math.radians(config.rotate) * (2 * draws[7] - 1))
    if config.gamma > 1:
        images = _change_contrast(images, config.gamma ** (2 * draws[3] - 1))
    if config.overlay:
        images = torch.maximum(images, draws[4] * _shifted_neighbour(images, draws[5:7]))
    return replace(batch, images=images.contiguous(), scale=torch.ones_like(batch.scale))


def _flip(images: Tensor, draws: list[float]) -> Tensor:
    axes = [axis for axis, draw in zip((-2, -1), draws[:2], strict=True) if draw < 0.5]
    images = images.flip(axes) if axes else images
    return images.transpose(-2, -1) if draws[2] < 0.5 else images


def _rotate(images: Tensor, angle: float) -> Tensor:
    """Turn images about pixel n // 2 of each axis; what comes from outside is 0."""
    rows, cols = images.shape[-2:]
    row, col = (
        torch.arange(n, dtype=torch.float32, device=images.device) - n // 2 for n in (rows, cols)
    )
    cosine, sine = math.cos(angle), math.sin(angle)
    from_row = cosine * row[:, None] + sine * col + rows // 2  # (rows, cols), in pixels
    from_col = cosine * col - sine * row[:, None] + cols // 2
    grid = torch.stack(
        [(2 * from_col + 1) / cols - 1, (2 * from_row + 1) / rows - 1], dim=-1
    )  # as grid_sample counts: -1 and 1 are the outer edges
    parts = torch.view_as_real(images).movedim(-1, 1) if images.is_complex() else images[:, None]
    planes = parts.reshape(len(images), -1, rows, cols)
    every = grid.expand(len(images), -1, -1, -1)
    turned = functional.grid_sample(planes, every, align_corners=False).reshape(parts.shape)
    if not images.is_complex():
        return turned[:, 0]
    return torch.view_as_complex(turned.movedim(1, -1).contiguous())


def _change_contrast(images: Tensor, power: float) -> Tensor:
    if not images.is_complex():
        return images**power
    squares = images.real.square() + images.imag.square()
    magnitude = squares.sum(dim=1, keepdim=True).sqrt()  # of all coils, (batch, 1, rows, cols)
    return images * torch.where(magnitude > 0, magnitude ** (power - 1), 0)


def _shifted_neighbour(images: Tensor, draws: list[float]) -> Tensor:
    """Return for each slice the one before it in the batch, moved cyclically."""
    sizes = images.shape[-2:]
    shift = [round((2 * draw - 1) * MOST_SHIFT * n) for draw, n in zip(draws, sizes, strict=True)]
    return images.roll(1, dims=0).roll(shift, dims=(-2, -1))
