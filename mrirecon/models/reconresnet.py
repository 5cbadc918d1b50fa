"""ReconResNet, the residual network that turns an undersampled image into a full one.

Source: Chatterjee et al. 2022, Computers in Biology and Medicine, 105321 (arXiv 2103.09203).
Built from the published description.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrirecon.models.layers import norm_and_activation, ordered_like
from mrirecon.models.thin import ThinConv2d
from mrirecon.ops import instance_norm

INITIAL_WEIGHT_STD = 0.02  # the paper's N(0, 0.02)
_SIZE_FACTOR = 4  # two convolutions of stride 2: sizes inside the network are multiples of 4
_IMAGE_KERNEL = 7  # of the first and the last convolution
_IMAGE_PAD, _BLOCK_PAD = 3, 1  # pixels of border that keep the size: at the image, in a block
_MIN_SIZE = 5  # then 2 pixels remain at a quarter of the size, the fewest that can be reflected


@dataclass(frozen=True)
class ReconResNetConfig:
    """Size and form of a `ReconResNet`; the defaults are the paper's.

    Attributes:
        kind: "reconresnet".
        width: channels after the first convolution; the residual blocks have four times as many.
        n_blocks: residual blocks at a quarter of the resolution.
        dropout: probability, in [0, 1), that a block drops one of its channels in training.
        residual: add the network's input to its output and leave out the sigmoid. The paper has
            no such path. The last convolution then starts at zero, so that an untrained network
            returns its input and a short training starts from there rather than from grey.
    """

    kind: Literal["reconresnet"] = field(default="reconresnet", kw_only=True)
    width: int = 64
    n_blocks: int = 14
    dropout: float = 0.2
    residual: bool = False

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"width: expected at least 1, got {self.width}")
        if self.n_blocks < 0:
            raise ValueError(f"n_blocks: expected 0 or more, got {self.n_blocks}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout: expected a probability in [0, 1), got {self.dropout}")


class ReconResNet(nn.Module):
    """Map a zero-filled magnitude image to a reconstructed one of the same size.

    Rows and columns that are no multiple of 4 are padded by reflection and cropped again. Norm,
    activation, dropout and the sum of a block are one operator, which also makes the border that
    the next convolution reads (`mrirecon.ops.instance_norm`).

    Examples:
        >>> from mrirecon.models import ReconResNet, ReconResNetConfig
        >>> network = ReconResNet(ReconResNetConfig())
        >>> f"{sum(weight.numel() for weight in network.parameters()):,}"
        '17,266,452'
    """

    def __init__(self, config: ReconResNetConfig) -> None:
        super().__init__()
        width = config.width
        self.config = config
        self.encoder = nn.Sequential(
            nn.Conv2d(1, width, _IMAGE_KERNEL),
            *_norm_and_activation(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            *_norm_and_activation(),
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
            *_norm_and_activation(pad=_BLOCK_PAD),
        )
        self.blocks = nn.Sequential(
            *(_ResidualBlock(4 * width, config.dropout) for _ in range(config.n_blocks))
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(4 * width, 2 * width, 3, stride=2, padding=1, output_padding=1),
            *_norm_and_activation(),
            nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1),
            *_norm_and_activation(pad=_IMAGE_PAD),
        )
        self.to_image = ThinConv2d(width, 1, _IMAGE_KERNEL)
        self.apply(initialise_weights)
        if config.residual:
            nn.init.zeros_(self.to_image.weight)

    def forward(self, image: Tensor) -> Tensor:
        """Reconstruct a batch of images.

        Args:
            image: float, (batch, 1, rows, cols), in [0, 1]; rows and cols 5 or more.

        Returns:
            Image, (batch, 1, rows, cols); in (0, 1), or of any value if `config.residual`.

        Raises:
            ValueError: too few rows or columns, or more than one channel.
        """
        rows, cols = image.shape[-2:]
        if image.ndim != 4 or image.shape[1] != 1 or min(rows, cols) < _MIN_SIZE:
            raise ValueError(
                f"image: expected (batch, 1, rows, cols) with rows and cols {_MIN_SIZE} or more, "
                f"got {tuple(image.shape)}"
            )
        below, right = -rows % _SIZE_FACTOR, -cols % _SIZE_FACTOR
        padded = functional.pad(image, (0, right, 0, below), mode="reflect")
        padded = functional.pad(padded, (_IMAGE_PAD,) * 4, mode="reflect")
        features = self.blocks(self.encoder(ordered_like(padded, self.to_image.weight)))
        features = features[..., _BLOCK_PAD:-_BLOCK_PAD, _BLOCK_PAD:-_BLOCK_PAD]
        # (batch, 4 * width, rows / 4, cols / 4)
        output: Tensor = self.to_image(self.decoder(features))[..., :rows, :cols]
        # The sum and the sigmoid stay in float32: bfloat16 has only 8 bits, too few for an image.
        output = output.to(image.dtype)
        return image + output if self.config.residual else torch.sigmoid(output)


class _ResidualBlock(nn.Module):
    """Two convolutions whose result is added to their input; both have a border of one pixel."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3),
            *_norm_and_activation(pad=_BLOCK_PAD, dropout=dropout),
            nn.Identity(),  # keeps the names of stored weights, as in `_norm_and_activation`
            nn.Conv2d(channels, channels, 3),
        )

    def forward(self, features: Tensor) -> Tensor:
        return instance_norm(self.body(features), residual=features, pad=_BLOCK_PAD)


class _NormPReLU(nn.PReLU):
    """A `NormActivation` whose slope is stored by the name of PReLU's."""

    def __init__(self, *, pad: int, dropout: float) -> None:
        super().__init__()
        self.pad, self.dropout = pad, dropout

    def forward(self, features: Tensor) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        return norm_and_activation(features, self.weight, dropout=dropout, pad=self.pad)


def _norm_and_activation(*, pad: int = 0, dropout: float = 0.0) -> tuple[nn.Module, nn.Module]:
    """Return nothing, where stored weights once had a norm without weights, and what is there now.

    So those of the layers that follow keep their names.
    """
    return nn.Identity(), _NormPReLU(pad=pad, dropout=dropout)


def initialise_weights(module: nn.Module) -> None:
    """Draw a convolution's weights from N(0, 0.02) and set its bias to zero."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=INITIAL_WEIGHT_STD)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
