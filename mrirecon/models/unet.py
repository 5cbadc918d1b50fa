"""U-Net: corrects an image by what it sees at several resolutions.

Sources: Ronneberger et al. 2015 (10.1007/978-3-319-24574-4_28); its use for MR images, with
instance norm and average pooling, Zbontar et al. 2018 (arXiv 1811.08839), section 6.2.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrirecon.models.layers import (
    NormActivation,
    in_multiples,
    ordered_for,
    require_at_least,
    require_channels,
    set_to_zero,
)


@dataclass(frozen=True)
class UNetConfig:
    """Size of a `UNet`.

    Attributes:
        kind: "unet".
        width: channels at full resolution, doubled at each lower one.
        n_levels: times that the resolution is halved.
        fold: side of the squares of pixels that enter as channels: 2 halves the resolution of
            every feature, at a quarter of the time.
        norm: whether features are normalised (instance norm, PReLU) or only rectified.
    """

    kind: Literal["unet"] = field(default="unet", kw_only=True)
    width: int = 32
    n_levels: int = 4
    fold: int = 1
    norm: bool = True

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        require_at_least("width", self.width, 1)
        require_at_least("n_levels", self.n_levels, 1)
        require_at_least("fold", self.fold, 1)


class UNet(nn.Module):
    """Add a correction to an image; an untrained network adds nothing.

    Sizes that are no multiple of 2 ** n_levels are padded by reflection and cropped again.
    """

    def __init__(self, config: UNetConfig, n_channels: int = 1) -> None:
        super().__init__()
        self.config = config
        self.n_channels = n_channels
        n_folded = n_channels * config.fold**2
        widths = [config.width * 2**level for level in range(config.n_levels + 1)]
        self.down = nn.ModuleList(
            _two_convolutions(before, after, config.norm)
            for before, after in zip([n_folded, *widths], widths, strict=False)
        )
        self.enlarge = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(2 * width, width, 2, stride=2, bias=not config.norm),
                _activation(config.norm),
            )
            for width in widths[:-1]
        )
        self.up = nn.ModuleList(
            _two_convolutions(2 * width, width, config.norm) for width in widths[:-1]
        )
        self.to_image = nn.Conv2d(config.width, n_folded, 1)
        set_to_zero(self.to_image)

    def forward(self, image: Tensor) -> Tensor:
        """Correct a batch of images.

        Args:
            image: float, (batch, n_channels, rows, cols); rows and cols more than
                fold * 2 ** n_levels.

        Returns:
            The same shape and dtype.

        Raises:
            ValueError: another number of channels, or too few rows or columns.
        """
        require_channels(image, self.n_channels)
        factor = self.config.fold * 2**self.config.n_levels
        correction = in_multiples(self._correction, image, factor)
        return image + correction.to(image.dtype)

    def _correction(self, image: Tensor) -> Tensor:
        folded = functional.pixel_unshuffle(image, self.config.fold)
        features, skipped = ordered_for(self, folded), []
        for level, convolve in enumerate(self.down):
            features = convolve(features if level == 0 else functional.avg_pool2d(features, 2))
            skipped.append(features)  # (batch, width * 2 ** level, rows / 2 ** level, ...)
        for level in reversed(range(self.config.n_levels)):
            features = self.enlarge[level](features)
            features = self.up[level](torch.cat([skipped[level], features], dim=1))
        correction: Tensor = self.to_image(features)
        return functional.pixel_shuffle(correction, self.config.fold)


def _two_convolutions(before: int, after: int, norm: bool) -> nn.Sequential:
    """Return two convolutions, without the biases that a norm after each would take away."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=not norm),
        _activation(norm),
        nn.Conv2d(after, after, 3, padding=1, bias=not norm),
        _activation(norm),
    )


def _activation(norm: bool) -> nn.Module:
    return NormActivation() if norm else nn.ReLU(inplace=True)
