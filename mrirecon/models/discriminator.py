"""A patch discriminator: judges overlapping patches of an image rather than the whole.

Sources: Isola et al. 2017 (10.1109/CVPR.2017.632) for the patches; Miyato et al. 2018
(arXiv 1802.05957) for spectral normalisation, which bounds how steep the judgement can be.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from mrirecon.models.reconresnet import initialise_weights

_LEAK = 0.2  # slope of the leaky ReLU below zero, Isola et al., section 6.1
_MAX_WIDTH_FACTOR = 8  # channels stop doubling at 8 * width, Isola et al., section 6.1.2


@dataclass(frozen=True)
class PatchDiscriminatorConfig:
    """Size of a `PatchDiscriminator`.

    Attributes:
        width: channels after the first convolution, doubled by each further one up to 8 * width.
        n_downsamplings: convolutions of stride 2. A patch is 12, 26, 54 or 110 pixels wide for
            1, 2, 3 or 4 of them.
    """

    width: int = 64
    n_downsamplings: int = 3

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"width: expected at least 1, got {self.width}")
        if self.n_downsamplings < 1:
            raise ValueError(f"n_downsamplings: expected at least 1, got {self.n_downsamplings}")


class PatchDiscriminator(nn.Module):
    """Give each patch of an image a logit: high for fully sampled, low for reconstructed.

    Every convolution is normalised to spectral norm 1. There is no instance norm, which would
    hide the brightness of a patch from the judgement.
    """

    def __init__(self, config: PatchDiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        channels = 1
        for level in range(config.n_downsamplings):
            wider = config.width * min(2**level, _MAX_WIDTH_FACTOR)
            layers += [nn.Conv2d(channels, wider, 4, stride=2, padding=1), nn.LeakyReLU(_LEAK)]
            channels = wider
        layers += [nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(_LEAK)]
        layers += [nn.Conv2d(channels, 1, 3, padding=1)]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise_weights)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                spectral_norm(layer)

    def forward(self, image: Tensor) -> Tensor:
        """Judge a batch of images.

        Args:
            image: float, (batch, 1, rows, cols), in [0, 1]; rows and cols at least
                2 ** config.n_downsamplings.

        Returns:
            Logits, (batch, 1, rows // 2 ** n, cols // 2 ** n) with n = config.n_downsamplings.
        """
        logits: Tensor = self.layers(image)
        return logits
