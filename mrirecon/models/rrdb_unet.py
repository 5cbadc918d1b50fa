"""A U-Net whose levels are residual-in-residual dense blocks (RRDB), without any norm.

Sources: Wang et al. 2018 (ESRGAN, 10.1007/978-3-030-11021-5_5), section 3.1, for the blocks;
Ronneberger et al. 2015 (10.1007/978-3-319-24574-4_28) for the levels.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrirecon.models.layers import (
    in_multiples,
    require_at_least,
    require_channels,
    set_to_zero,
)

_LEAK = 0.2  # slope of the leaky ReLU below zero, as in ESRGAN
_RESIDUAL_SCALE = 0.2  # of what a block adds, so that deep stacks start tamely; ESRGAN's beta
_N_DENSE = 3  # dense blocks in an RRDB
_N_CONVOLUTIONS = 5  # convolutions in a dense block


@dataclass(frozen=True)
class RrdbUNetConfig:
    """Size of an `RrdbUNet`.

    Attributes:
        kind: "rrdb_unet".
        width: channels at full resolution, doubled at each lower one.
        growth: channels that each convolution of a dense block adds.
        n_levels: times that the resolution is halved.
        n_blocks: RRDBs at each resolution, on the way down and on the way up.
    """

    kind: Literal["rrdb_unet"] = field(default="rrdb_unet", kw_only=True)
    width: int = 32
    growth: int = 16
    n_levels: int = 2
    n_blocks: int = 1

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        for name in ("width", "growth", "n_levels", "n_blocks"):
            require_at_least(name, getattr(self, name), 1)


class RrdbUNet(nn.Module):
    """Add a correction to an image; an untrained network adds nothing.

    Sizes that are no multiple of 2 ** n_levels are padded by reflection and cropped again.
    """

    def __init__(self, config: RrdbUNetConfig, n_channels: int = 1) -> None:
        super().__init__()
        self.config = config
        self.n_channels = n_channels
        widths = [config.width * 2**level for level in range(config.n_levels + 1)]
        self.from_image = nn.Conv2d(n_channels, config.width, 3, padding=1)
        self.down = nn.ModuleList(_blocks(width, config) for width in widths)
        self.up = nn.ModuleList(_blocks(width, config) for width in widths[:-1])
        self.reduce = nn.ModuleList(
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1) for width in widths[:-1]
        )
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in widths[:-1]
        )
        self.join = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in widths[:-1])
        self.to_image = nn.Conv2d(config.width, n_channels, 3, padding=1)
        set_to_zero(self.to_image)

    def forward(self, image: Tensor) -> Tensor:
        """Correct a batch of images.

        Args:
            image: float, (batch, n_channels, rows, cols); rows and cols more than 2 ** n_levels.

        Returns:
            The same shape and dtype.

        Raises:
            ValueError: another number of channels, or too few rows or columns.
        """
        require_channels(image, self.n_channels)
        correction = in_multiples(self._correction, image, 2**self.config.n_levels)
        return image + correction.to(image.dtype)

    def _correction(self, image: Tensor) -> Tensor:
        features = self.down[0](self.from_image(image))
        skipped = [features]  # (batch, width * 2 ** level, rows / 2 ** level, ...)
        for reduce, blocks in zip(self.reduce, list(self.down)[1:], strict=True):
            features = blocks(reduce(features))
            skipped.append(features)
        for level in reversed(range(self.config.n_levels)):
            features = torch.cat([skipped[level], self.enlarge[level](features)], dim=1)
            features = self.up[level](self.join[level](features))
        correction: Tensor = self.to_image(features)
        return correction


class _Rrdb(nn.Module):
    """Dense blocks in a row, whose result is scaled and added to their input."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(*(_DenseBlock(width, growth) for _ in range(_N_DENSE)))

    def forward(self, features: Tensor) -> Tensor:
        refined: Tensor = self.dense(features)
        return features + _RESIDUAL_SCALE * refined


class _DenseBlock(nn.Module):
    """Convolutions each of which sees the features of all before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        outputs = [*[growth] * (_N_CONVOLUTIONS - 1), width]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(width + i * growth, channels, 3, padding=1)
            for i, channels in enumerate(outputs)
        )

    def forward(self, features: Tensor) -> Tensor:
        seen = [features]
        for convolution in list(self.convolutions)[:-1]:
            grown = convolution(torch.cat(seen, dim=1))
            seen.append(functional.leaky_relu(grown, _LEAK))
        refined: Tensor = self.convolutions[-1](torch.cat(seen, dim=1))
        return features + _RESIDUAL_SCALE * refined


def _blocks(width: int, config: RrdbUNetConfig) -> nn.Sequential:
    return nn.Sequential(*(_Rrdb(width, config.growth) for _ in range(config.n_blocks)))
