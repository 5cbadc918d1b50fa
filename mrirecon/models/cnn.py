"""A plain stack of convolutions that corrects an image: the network of a cascade.

Source: Schlemper et al. 2018 (10.1109/TMI.2017.2760978), section III-C: n_d convolutions with
rectifiers between them, and a residual connection.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional

from mrirecon.models.layers import (
    in_multiples,
    ordered_for,
    require_at_least,
    require_channels,
    set_to_zero,
)
from mrirecon.models.thin import ThinConv2d

_FEW = 5  # channels of which a thin convolution has the kernel's three columns in one register


@dataclass(frozen=True)
class CnnConfig:
    """Size of a `Cnn`; the defaults are those of the D5C5 network of Schlemper et al.

    Attributes:
        kind: "cnn".
        width: channels between the convolutions.
        n_layers: 3 x 3 convolutions, 2 or more.
        fold: side of the squares of pixels that enter as channels: 2 halves the resolution of
            every feature, at a quarter of the time.
    """

    kind: Literal["cnn"] = field(default="cnn", kw_only=True)
    width: int = 64
    n_layers: int = 5
    fold: int = 1

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        require_at_least("width", self.width, 1)
        require_at_least("n_layers", self.n_layers, 2)
        require_at_least("fold", self.fold, 1)


class Cnn(nn.Module):
    """Add a correction to an image of any size; an untrained network adds nothing.

    There is no normalisation: the brightness of an image says how it has to be corrected, and
    nothing but convolutions costs time.
    """

    def __init__(self, config: CnnConfig, n_channels: int) -> None:
        super().__init__()
        self.config = config
        self.n_channels = n_channels
        n_folded = n_channels * config.fold**2
        widths = [n_folded, *[config.width] * (config.n_layers - 1), n_folded]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [_convolution(before, after), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers[:-1])
        set_to_zero(self.layers[-1])

    def forward(self, image: Tensor) -> Tensor:
        """Correct a batch of images.

        Args:
            image: float, (batch, n_channels, rows, cols).

        Returns:
            The same shape and dtype.

        Raises:
            ValueError: another number of axes or channels.
        """
        require_channels(image, self.n_channels)
        fold = self.config.fold
        correction = (
            self._correction(image) if fold == 1 else in_multiples(self._correction, image, fold)
        )
        return image + correction.to(image.dtype)

    def _correction(self, image: Tensor) -> Tensor:
        fold = self.config.fold
        folded = functional.pixel_unshuffle(image, fold) if fold > 1 else image
        corrected: Tensor = self.layers(ordered_for(self.layers, folded))
        return functional.pixel_shuffle(corrected, fold) if fold > 1 else corrected


def _convolution(before: int, after: int) -> nn.Conv2d:
    few = min(before, after) <= _FEW < max(before, after)
    return (ThinConv2d if few else nn.Conv2d)(before, after, 3, padding=1)
