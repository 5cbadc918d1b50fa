"""A patch discriminator: judges overlapping patches of an image rather than the whole.

Sources: Isola et al. 2017 (10.1109/CVPR.2017.632) for the patches and the condition; Miyato et al.
2018 (arXiv 1802.05957) for spectral normalisation, which bounds how steep the judgement can be;
Wang et al. 2018 (10.1109/CVPR.2018.00917) for several scales.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from mrirecon.models.layers import ordered_for, require_at_least
from mrirecon.models.reconresnet import initialise_weights

_LEAK = 0.2  # slope of the leaky ReLU below zero, Isola et al., section 6.1
_MAX_WIDTH_FACTOR = 8  # channels stop doubling at 8 * width, Isola et al., section 6.1.2


@dataclass(frozen=True)
class PatchDiscriminatorConfig:
    """Size and form of a `PatchDiscriminator`.

    Attributes:
        width: channels after the first convolution, doubled by each further one up to 8 * width.
        n_downsamplings: convolutions of stride 2.
        last_kernel: size of the two convolutions of stride 1 after them. With 3, a patch is 12,
            26, 54 or 110 pixels wide for 1, 2, 3 or 4 downsamplings; with 4, as published, 16,
            34, 70 or 142.
        n_scales: discriminators; each further one judges the image at half the resolution, so
            that its patches are twice as wide.
        spectral_norm: normalise every convolution to spectral norm 1.
        conditional: judge an image together with the zero-filled one that it was made of.
    """

    width: int = 64
    n_downsamplings: int = 3
    last_kernel: Literal[3, 4] = 3
    n_scales: int = 1
    spectral_norm: bool = True
    conditional: bool = False

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        for name in ("width", "n_downsamplings", "n_scales"):
            require_at_least(name, getattr(self, name), 1)
        if self.last_kernel not in (3, 4):
            raise ValueError(f"last_kernel: expected 3 or 4, got {self.last_kernel}")


class Judgement(NamedTuple):
    """What a discriminator says of a batch, scale by scale.

    Attributes:
        logits: of patches, (batch, 1, rows, cols) each; high for fully sampled images.
        features: what its hidden layers see, (batch, channels, rows, cols) each.
    """

    logits: list[Tensor]
    features: list[Tensor]

    def halves(self) -> tuple["Judgement", "Judgement"]:
        """Divide the judgement of two batches, one after the other, into that of each."""
        logits = [tensor.chunk(2) for tensor in self.logits]
        features = [tensor.chunk(2) for tensor in self.features]
        first, second = (
            Judgement([pair[i] for pair in logits], [pair[i] for pair in features])
            for i in range(2)
        )
        return first, second


class PatchDiscriminator(nn.Module):
    """Give each patch of an image a logit: high for fully sampled, low for reconstructed.

    There is no instance norm, which would hide the brightness of a patch from the judgement, and
    nothing that has no second derivative, which penalties of its gradient need.

    Examples:
        >>> import torch
        >>> from mrirecon.models import PatchDiscriminator, PatchDiscriminatorConfig
        >>> discriminator = PatchDiscriminator(PatchDiscriminatorConfig(width=8, n_downsamplings=2))
        >>> judgement = discriminator(torch.rand(2, 1, 32, 32))
        >>> judgement.logits[0].shape
        torch.Size([2, 1, 8, 8])
    """

    def __init__(self, config: PatchDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        channels = 2 if config.conditional else 1
        for level in range(config.n_downsamplings):
            wider = config.width * min(2**level, _MAX_WIDTH_FACTOR)
            layers += [nn.Conv2d(channels, wider, 4, stride=2, padding=1), nn.LeakyReLU(_LEAK)]
            channels = wider
        layers += [nn.Conv2d(channels, channels, config.last_kernel, padding=1)]
        layers += [nn.LeakyReLU(_LEAK), nn.Conv2d(channels, 1, config.last_kernel, padding=1)]
        self.layers = nn.Sequential(*layers)
        self.layers.apply(initialise_weights)
        if config.spectral_norm:
            for layer in self.layers:
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)
        self.coarser: PatchDiscriminator | None = None
        if config.n_scales > 1:
            self.coarser = PatchDiscriminator(replace(config, n_scales=config.n_scales - 1))

    def forward(self, image: Tensor, condition: Tensor | None = None) -> Judgement:
        """Judge a batch of images.

        Args:
            image: float, (batch, 1, rows, cols), in [0, 1]; rows and cols large enough for the
                last scale, 2 ** (n_downsamplings + n_scales - 1) for a `last_kernel` of 3.
            condition: magnitude of the zero-filled images, the same shape; for
                `config.conditional` only.

        Returns:
            Logits and features of n_scales scales, the logits in the dtype of `image` also under
            autocast. At the first, and a `last_kernel` of 3, logits are (batch, 1, rows // 2 ** n,
            cols // 2 ** n), n = n_downsamplings.

        Raises:
            ValueError: a condition is missing or not asked for.
        """
        if self.config.conditional != (condition is not None):
            expected, got = ("an image", "none") if condition is None else ("none", "an image")
            raise ValueError(
                f"condition: expected {expected}, since conditional is "
                f"{self.config.conditional}, got {got}"
            )
        return self._judge(image if condition is None else torch.cat([image, condition], dim=1))

    def _judge(self, image: Tensor) -> Judgement:
        features, seen = ordered_for(self.layers, image), []
        for layer in self.layers:
            features = layer(features)
            if isinstance(layer, nn.LeakyReLU):
                seen.append(features)
        judgement = Judgement([features.to(image.dtype)], seen)
        if self.coarser is None:
            return judgement
        coarser = self.coarser._judge(functional.avg_pool2d(image, 2))
        return Judgement(judgement.logits + coarser.logits, judgement.features + coarser.features)
