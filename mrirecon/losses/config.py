"""Which losses a generator is trained with, and how much each weighs."""

import math
from dataclasses import dataclass
from typing import ClassVar, get_args

from torch import Tensor

from mrirecon.losses.adversarial import AdversarialKind
from mrirecon.losses.image import (
    charbonnier_loss,
    frequency_loss,
    l1_loss,
    ms_ssim_loss,
    ssim_loss,
)
from mrirecon.losses.perceptual import PerceptualLoss, check_layer
from mrirecon.ops.ssim import WindowName

IMAGE_TERMS = ("l1", "charbonnier", "ssim", "ms_ssim", "frequency", "perceptual")
GENERATOR_TERMS = (*IMAGE_TERMS, "network", "adversarial", "feature_matching")
DISCRIMINATOR_TERMS = ("gradient_penalty", "r1")

_DATA_RANGE = 1.0  # targets are divided by their volume's maximum


@dataclass(frozen=True)
class LossConfig:
    """Weights of loss terms; a term of weight 0 is not computed.

    Attributes:
        l1: weight of `l1_loss`.
        charbonnier: weight of `charbonnier_loss`.
        ssim: weight of `ssim_loss`; the ReconResNet paper trains with this term alone.
        ssim_window: its window.
        ms_ssim: weight of `ms_ssim_loss`, for images of 176 x 176 or more.
        frequency: weight of `frequency_loss`, the L1 of k-space.
        perceptual: weight of `PerceptualLoss`.
        perceptual_weights: its file.
        perceptual_layer: its layer.
        network: weight of `l1_loss` of the network's own image, beside that of the consistent one:
            with data consistency inside, nothing else holds the network's image to the target
            where k-space was measured.
        adversarial: weight of `generator_loss`; above 0 the discriminator is trained as well.
        adversarial_kind: hinge, least squares or Wasserstein, for generator and discriminator.
        adversarial_start: steps before the adversarial term joins, so that the discriminator
            does not judge an untrained generator.
        discriminator_steps: updates of the discriminator in each step of the generator.
        feature_matching: weight of `feature_matching_loss` over the discriminator's layers.
        gradient_penalty: weight of `gradient_penalty` in the discriminator's loss. Wasserstein
            needs it, unless the discriminator has spectral norm.
        r1: weight of `r1_penalty` in the discriminator's loss.
    """

    l1: float = 1.0
    charbonnier: float = 0.0
    ssim: float = 1.0
    ssim_window: WindowName = "gaussian"
    ms_ssim: float = 0.0
    frequency: float = 0.0
    perceptual: float = 0.0
    perceptual_weights: str | None = None
    perceptual_layer: str = "relu3_3"
    network: float = 0.0
    adversarial: float = 0.01
    adversarial_kind: AdversarialKind = "hinge"
    adversarial_start: int = 0
    discriminator_steps: int = 1
    feature_matching: float = 0.0
    gradient_penalty: float = 0.0
    r1: float = 0.0

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        for name in (*GENERATOR_TERMS, *DISCRIMINATOR_TERMS, "adversarial_start"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name}: expected a finite number, 0 or more, got {value}")
        if not any(getattr(self, name) for name in IMAGE_TERMS):
            names = ", ".join(IMAGE_TERMS)
            raise ValueError(f"l1: expected one of {names} above 0, got 0 for all")
        if self.discriminator_steps < 1:
            raise ValueError(
                f"discriminator_steps: expected 1 or more, got {self.discriminator_steps}"
            )
        for name, choices in (("ssim_window", WindowName), ("adversarial_kind", AdversarialKind)):
            if getattr(self, name) not in get_args(choices):
                wanted = " or ".join(repr(choice) for choice in get_args(choices))
                raise ValueError(f"{name}: expected {wanted}, got {getattr(self, name)!r}")
        if self.perceptual > 0 and self.perceptual_weights is None:
            raise ValueError("perceptual_weights: expected a file, since perceptual > 0, got none")
        check_layer(self.perceptual_layer)
        self._require_adversarial("feature_matching", *DISCRIMINATOR_TERMS)

    def _require_adversarial(self, *names: str) -> None:
        for name in names:
            if getattr(self, name) > 0 and self.adversarial == 0:
                value = getattr(self, name)
                raise ValueError(f"{name}: expected 0, since adversarial is 0, got {value}")


def image_terms(
    prediction: Tensor, target: Tensor, losses: LossConfig, perceptual: PerceptualLoss | None
) -> dict[str, Tensor]:
    """Compute the terms of `IMAGE_TERMS` that have a weight, before weighting.

    Args:
        prediction: float32, (batch, 1, rows, cols).
        target: the same shape, in [0, 1].
        losses: says which.
        perceptual: where it has a weight.

    Returns:
        Scalars by name.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import LossConfig, image_terms
        >>> target = torch.zeros(1, 1, 16, 16)
        >>> image_terms(target + 0.25, target, LossConfig(l1=1, ssim=0), None)
        {'l1': tensor(0.2500)}
    """
    terms: dict[str, Tensor] = {}
    if losses.l1 > 0:
        terms["l1"] = l1_loss(prediction, target)
    if losses.charbonnier > 0:
        terms["charbonnier"] = charbonnier_loss(prediction, target)
    if losses.ssim > 0:
        terms["ssim"] = ssim_loss(
            prediction, target, data_range=_DATA_RANGE, window=losses.ssim_window
        )
    if losses.ms_ssim > 0:
        terms["ms_ssim"] = ms_ssim_loss(prediction, target, data_range=_DATA_RANGE)
    if losses.frequency > 0:
        terms["frequency"] = frequency_loss(prediction, target)
    if losses.perceptual > 0 and perceptual is not None:
        terms["perceptual"] = perceptual(prediction, target)
    return terms
