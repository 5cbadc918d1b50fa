"""DeblurGAN's generator: a residual network that corrects an image at a quarter of its resolution.

Source: Kupyn et al. 2018 (10.1109/CVPR.2018.00854), section 3.2, after Johnson et al. 2016
(10.1007/978-3-319-46475-6_43). Built from the published description.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from mrirecon.models.layers import (
    NormActivation,
    in_multiples,
    reflect,
    require_at_least,
    require_channels,
    set_to_zero,
)
from mrirecon.models.thin import ThinConv2d
from mrirecon.ops import instance_norm

_SIZE_FACTOR = 4  # two convolutions of stride 2


@dataclass(frozen=True)
class DeblurGanConfig:
    """Size of a `DeblurGan` generator; the defaults are the paper's.

    Attributes:
        kind: "deblurgan".
        width: channels after the first convolution; the residual blocks have four times as many.
        n_blocks: residual blocks at a quarter of the resolution.
        dropout: probability, in [0, 1), that a block drops one of its channels in training.
    """

    kind: Literal["deblurgan"] = field(default="deblurgan", kw_only=True)
    width: int = 64
    n_blocks: int = 9
    dropout: float = 0.5

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        require_at_least("width", self.width, 1)
        require_at_least("n_blocks", self.n_blocks, 1)
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout: expected a probability in [0, 1), got {self.dropout}")


class DeblurGan(nn.Module):
    """Add a correction in (-1, 1) to a magnitude image; an untrained network adds nothing.

    The residual blocks hand on features with a border of one reflected pixel, so that no
    convolution pads its own.
    """

    def __init__(self, config: DeblurGanConfig) -> None:
        super().__init__()
        width = config.width
        self.config = config
        self.encoder = nn.Sequential(
            nn.Conv2d(1, width, 7, bias=False),
            NormActivation(learns_slope=False),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False),
            NormActivation(learns_slope=False),
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1, bias=False),
            NormActivation(learns_slope=False, pad=1),
        )
        self.blocks = nn.Sequential(
            *(_ResidualBlock(4 * width, config.dropout) for _ in range(config.n_blocks))
        )
        self.decoder = nn.Sequential(
            _double(4 * width, 2 * width),
            NormActivation(learns_slope=False),
            _double(2 * width, width),
            NormActivation(learns_slope=False, pad=3),
        )
        self.to_image = ThinConv2d(width, 1, 7)
        set_to_zero(self.to_image)

    def forward(self, image: Tensor) -> Tensor:
        """Correct a batch of images.

        Args:
            image: float, (batch, 1, rows, cols), in [0, 1]; rows and cols 5 or more.

        Returns:
            The same shape and dtype.

        Raises:
            ValueError: another number of channels, or too few rows or columns.
        """
        require_channels(image, 1)
        correction = in_multiples(self._correction, image, _SIZE_FACTOR)
        return image + torch.tanh(correction.to(image.dtype))

    def _correction(self, image: Tensor) -> Tensor:
        features = self.blocks(self.encoder(reflect(image, 3)))  # a quarter, with a border
        correction: Tensor = self.to_image(self.decoder(features[..., 1:-1, 1:-1]))
        return correction


class _ResidualBlock(nn.Module):
    """Two convolutions whose result is added to their input; both have a border of one pixel."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, bias=False)
        self.activate = NormActivation(learns_slope=False, dropout=dropout, pad=1)
        self.second = nn.Conv2d(channels, channels, 3, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        refined: Tensor = self.second(self.activate(self.first(features)))
        return instance_norm(refined, residual=features.to(refined.dtype), pad=1)


def _double(before: int, after: int) -> nn.Module:
    return nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1, bias=False)
