"""A plain stack of convolutions that corrects an image: the network of a cascade.

Source: Schlemper et al. 2018 (10.1109/TMI.2017.2760978), section III-C: n_d convolutions with
rectifiers between them, and a residual connection.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional

from mrirecon.models.layers import in_multiples, require_at_least, require_channels, set_to_zero


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
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
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
        if self.config.fold == 1:
            correction: Tensor = self.layers(image)
        else:
            correction = in_multiples(self._correct_folded, image, self.config.fold)
        return image + correction.to(image.dtype)

    def _correct_folded(self, image: Tensor) -> Tensor:
        fold = self.config.fold
        return functional.pixel_shuffle(self.layers(functional.pixel_unshuffle(image, fold)), fold)
