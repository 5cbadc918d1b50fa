"""ReconResNet, the residual network that turns an undersampled image into a full one.

Source: Chatterjee et al. 2022, Computers in Biology and Medicine, 105321 (arXiv 2103.09203).
Built from the published description.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

INITIAL_WEIGHT_STD = 0.02  # the paper's N(0, 0.02)
_SIZE_FACTOR = 4  # two convolutions of stride 2: sizes inside the network are multiples of 4
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

    Rows and columns that are no multiple of 4 are padded by reflection and cropped again.
    """

    def __init__(self, config: ReconResNetConfig) -> None:
        super().__init__()
        width = config.width
        self.config = config
        self.encoder = nn.Sequential(
            _ReflectConv2d(1, width, kernel_size=7),
            *_norm_and_activation(width),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            *_norm_and_activation(2 * width),
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
            *_norm_and_activation(4 * width),
        )
        self.blocks = nn.Sequential(
            *(_ResidualBlock(4 * width, config.dropout) for _ in range(config.n_blocks))
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(4 * width, 2 * width, 3, stride=2, padding=1, output_padding=1),
            *_norm_and_activation(2 * width),
            nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1),
            *_norm_and_activation(width),
        )
        self.to_image = _ReflectConv2d(width, 1, kernel_size=7)
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
        padding = (0, -cols % _SIZE_FACTOR, 0, -rows % _SIZE_FACTOR)
        features = self.encoder(functional.pad(image, padding, mode="reflect"))
        features = self.blocks(features)  # (batch, 4 * width, rows / 4, cols / 4)
        output: Tensor = self.to_image(self.decoder(features))[..., :rows, :cols]
        # The sum and the sigmoid stay in float32: bfloat16 has only 8 bits, too few for an image.
        output = output.to(image.dtype)
        return image + output if self.config.residual else torch.sigmoid(output)


class _ResidualBlock(nn.Module):
    """Two convolutions whose result is added to their input."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _ReflectConv2d(channels, channels, kernel_size=3),
            *_norm_and_activation(channels),
            nn.Dropout2d(dropout),
            _ReflectConv2d(channels, channels, kernel_size=3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        refined: Tensor = self.body(features)
        return features + refined


class _ReflectConv2d(nn.Conv2d):
    """A convolution that keeps the size, padded by reflection.

    Autocast runs reflection padding in float32 on the CPU, which costs a copy there and one back;
    padding only moves values, so it runs here in the dtype it is given.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size)
        self.border = (kernel_size // 2,) * 4

    def forward(self, features: Tensor) -> Tensor:
        with torch.autocast(features.device.type, enabled=False):
            padded = functional.pad(features, self.border, mode="reflect")
        return super().forward(padded)


def _norm_and_activation(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels), nn.PReLU()


def initialise_weights(module: nn.Module) -> None:
    """Draw a convolution's weights from N(0, 0.02) and set its bias to zero."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=INITIAL_WEIGHT_STD)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
