"""The networks of the bars, written as most would write them: float32, contiguous, torch's layers.

They take the stored weights of the package's networks by name, so that both give one result.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.models import ReconResNetConfig, UnrolledConfig

_WINDOW, _SIGMA = 11, 1.5  # of SSIM, Wang et al. 2004
_C1, _C2 = 0.01**2, 0.03**2


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
        image = self.network(zero_filled.abs())
        kspace = torch.where(mask[:, None], fft_centred(zero_filled), fft_centred(image))
        return ifft_centred(kspace).real.clamp_min(0.0)


class PlainUnrolled(nn.Module):
    """Cascades of convolutions and soft data consistency, by transforms of both axes."""

    def __init__(self, config: UnrolledConfig) -> None:
        super().__init__()
        self.refinements = nn.ModuleList(
            _PlainCnn(config.refinement.width, config.refinement.n_layers)
            for _ in range(config.n_cascades)
        )
        self.log_weights = nn.ParameterList(
            nn.Parameter(torch.zeros(())) for _ in range(config.n_cascades)
        )

    def forward(self, zero_filled: Tensor, mask: Tensor) -> Tensor:
        """Reconstruct the magnitude, (batch, 1, rows, cols)."""
        measured, image = fft_centred(zero_filled), zero_filled
        for refine, log_weight in zip(self.refinements, self.log_weights, strict=True):
            channels = refine(torch.cat([image.real, image.imag], dim=1))
            kspace = fft_centred(torch.complex(channels[:, :1], channels[:, 1:]))
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


def plain_ssim(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean SSIM of images (batch, 1, rows, cols) of range 1, by separable windows."""
    at = torch.arange(_WINDOW, dtype=prediction.dtype) - _WINDOW // 2
    weights = torch.exp(-at.square() / (2 * _SIGMA**2))
    weights = weights / weights.sum()
    products = [
        prediction,
        target,
        prediction * prediction,
        target * target,
        prediction * target,
    ]
    means = functional.conv2d(torch.cat(products), weights.reshape(1, 1, -1, 1))
    means = functional.conv2d(means, weights.reshape(1, 1, 1, -1))
    x, y, xx, yy, xy = means.chunk(len(products))
    contrast = (2 * (xy - x * y) + _C2) / (xx - x * x + yy - y * y + _C2)
    return ((2 * x * y + _C1) / (x * x + y * y + _C1) * contrast).mean()
