"""This package's networks as most would write them: torch's layers, contiguous, both axes shifted.

They take the stored weights of the package's networks by name, so that both give one result. Where
they run in mixed precision, transforms and sums with the image stay in the image's own.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.models import (
    CnnConfig,
    DualDomainConfig,
    Generator,
    ReconResNetConfig,
    UNetConfig,
    UnrolledConfig,
)


def plain_of(generator: Generator) -> nn.Module:
    """Write a generator the plain way, with the same weights.

    Args:
        generator: of a ReconResNet or U-Net with hard consistency inside, or of an unrolled or a
            dual-domain network, without the options that this package adds.

    Returns:
        Takes zero-filled images, complex (batch, 1, rows, cols), and masks, (batch, 1, cols);
        returns images, real, 0 or more, (batch, 1, rows, cols).

    Raises:
        TypeError: there is no plain form of its network.
    """
    network, weights = generator.config.network, generator.state_dict()
    inner = {name.removeprefix("network."): tensor for name, tensor in weights.items()}
    match network:
        case ReconResNetConfig():
            plain: nn.Module = PlainGenerator(PlainReconResNet(network))
        case UNetConfig():
            plain = PlainGenerator(PlainUNet(network, 1))
        case UnrolledConfig():
            plain, weights = PlainUnrolled(network), inner
        case DualDomainConfig():
            plain, weights = PlainDualDomain(network), inner
        case _:
            raise TypeError(f"network: expected one with a plain form, got {network}")
    plain.load_state_dict(weights)
    return plain


class PlainReconResNet(nn.Module):
    """ReconResNet by torch's layers; (batch, 1, rows, cols), both multiples of 4."""

    def __init__(self, config: ReconResNetConfig) -> None:
        super().__init__()
        width, self.residual = config.width, config.residual
        self.encoder = nn.Sequential(
            *_layer(nn.Conv2d(1, width, 7, padding=3, padding_mode="reflect")),
            *_layer(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)),
            *_layer(nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1)),
        )
        self.blocks = nn.Sequential(
            *(_PlainBlock(4 * width, config.dropout) for _ in range(config.n_blocks))
        )
        self.decoder = nn.Sequential(
            *_layer(nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, padding=1, output_padding=1)),
            *_layer(nn.ConvTranspose2d(2 * width, width, 3, 2, padding=1, output_padding=1)),
        )
        self.to_image = nn.Conv2d(width, 1, 7, padding=3, padding_mode="reflect")

    def forward(self, image: Tensor) -> Tensor:
        """Reconstruct (batch, 1, rows, cols)."""
        output: Tensor = self.to_image(self.decoder(self.blocks(self.encoder(image))))
        return image + output if self.residual else torch.sigmoid(output)


class _PlainBlock(nn.Module):
    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_layer(nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect")),
            nn.Dropout2d(dropout),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect"),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        refined: Tensor = self.body(features)
        return features + refined


def _layer(convolution: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    return [convolution, nn.InstanceNorm2d(convolution.out_channels), nn.PReLU()]


class PlainGenerator(nn.Module):
    """A network on magnitudes, whose k-space is replaced where it was measured."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, zero_filled: Tensor, mask: Tensor) -> Tensor:
        """Reconstruct (batch, 1, rows, cols), real, 0 or more."""
        magnitude = zero_filled.abs()
        image = self.network(magnitude).to(magnitude.dtype)
        kspace = torch.where(mask[:, None], fft_centred(zero_filled), fft_centred(image))
        return ifft_centred(kspace).real.clamp_min(0.0)


class PlainUnrolled(nn.Module):
    """Cascades of convolutions and soft data consistency, by transforms of both axes."""

    def __init__(self, config: UnrolledConfig) -> None:
        super().__init__()
        assert isinstance(config.refinement, CnnConfig)
        width, n_layers = config.refinement.width, config.refinement.n_layers
        self.refinements = nn.ModuleList(
            _PlainCnn(width, n_layers) for _ in range(config.n_cascades)
        )
        self.log_weights = nn.ParameterList(
            nn.Parameter(torch.zeros(())) for _ in range(config.n_cascades)
        )

    def forward(self, zero_filled: Tensor, mask: Tensor) -> Tensor:
        """Reconstruct the magnitude, (batch, 1, rows, cols)."""
        measured, image = fft_centred(zero_filled), zero_filled
        for refine, log_weight in zip(self.refinements, self.log_weights, strict=True):
            kspace = fft_centred(_refined(refine, image))
            weight = log_weight.exp()
            blend = (kspace + weight * measured) / (1 + weight)
            image = ifft_centred(torch.where(mask[:, None], blend, kspace))
        return image.abs()


class _PlainCnn(nn.Module):
    def __init__(self, width: int, n_layers: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(2, width, 3, padding=1), nn.ReLU()]
        for _ in range(n_layers - 2):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 2, 3, padding=1))

    def forward(self, channels: Tensor) -> Tensor:
        correction: Tensor = self.layers(channels)
        return channels + correction


class PlainUNet(nn.Module):
    """A U-Net with instance norm that corrects an image; sizes are multiples of 2 ** n_levels."""

    def __init__(self, config: UNetConfig, n_channels: int) -> None:
        super().__init__()
        widths = [config.width * 2**level for level in range(config.n_levels + 1)]
        self.down = nn.ModuleList(
            _two_convolutions(before, after)
            for before, after in zip([n_channels, *widths], widths, strict=False)
        )
        self.enlarge = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(2 * width, width, 2, stride=2, bias=False), _PlainNorm()
            )
            for width in widths[:-1]
        )
        self.up = nn.ModuleList(_two_convolutions(2 * width, width) for width in widths[:-1])
        self.to_image = nn.Conv2d(config.width, n_channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Correct a batch of images (batch, n_channels, rows, cols)."""
        features, skipped = self.down[0](image), []
        for convolve in list(self.down)[1:]:
            skipped.append(features)
            features = convolve(functional.avg_pool2d(features, 2))
        for skip, enlarge, convolve in reversed(
            list(zip(skipped, self.enlarge, self.up, strict=True))
        ):
            features = convolve(torch.cat([skip, enlarge(features)], dim=1))
        correction: Tensor = self.to_image(features)
        return image + correction


def _two_convolutions(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        _PlainNorm(),
        nn.Conv2d(after, after, 3, padding=1, bias=False),
        _PlainNorm(),
    )


class _PlainNorm(nn.Module):
    """Instance norm, then PReLU; the slope is stored by the name it has in the package."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        return functional.prelu(functional.instance_norm(features), self.slope)


class PlainDualDomain(nn.Module):
    """A U-Net on k-space, hard consistency, and a U-Net on the image."""

    def __init__(self, config: DualDomainConfig) -> None:
        super().__init__()
        assert isinstance(config.kspace, UNetConfig)
        assert isinstance(config.image, UNetConfig)
        self.kspace = PlainUNet(config.kspace, 2)
        self.image = PlainUNet(config.image, 2)

    def forward(self, zero_filled: Tensor, mask: Tensor) -> Tensor:
        """Reconstruct the magnitude, (batch, 1, rows, cols)."""
        measured = fft_centred(zero_filled)
        rows, cols = zero_filled.shape[-2:]
        k_rows = torch.arange(rows, device=zero_filled.device)[:, None] - rows // 2
        k_cols = torch.arange(cols, device=zero_filled.device) - cols // 2
        flattening = (1 + torch.hypot(k_rows.float(), k_cols.float())) / (rows * cols) ** 0.5
        kspace = _refined(self.kspace, measured * flattening) / flattening
        image = ifft_centred(torch.where(mask[:, None], measured, kspace))
        return _refined(self.image, image).abs()


def _refined(network: nn.Module, image: Tensor) -> Tensor:
    """Apply a network of two channels to a complex image."""
    parts = torch.cat([image.real, image.imag], dim=1)
    channels = network(parts).to(parts.dtype)
    return torch.complex(channels[:, :1], channels[:, 1:])
