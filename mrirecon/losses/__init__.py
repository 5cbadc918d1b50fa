"""Losses of the generator and the discriminator, as functions of tensors."""

from mrirecon.losses.adversarial import (
    AdversarialKind,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    gradient_penalty,
    r1_penalty,
    separation,
)
from mrirecon.losses.config import (
    DISCRIMINATOR_TERMS,
    GENERATOR_TERMS,
    IMAGE_TERMS,
    LossConfig,
    image_terms,
)
from mrirecon.losses.image import (
    charbonnier_loss,
    frequency_loss,
    l1_loss,
    ms_ssim_loss,
    ssim_loss,
)
from mrirecon.losses.perceptual import PerceptualLoss

__all__ = [
    "DISCRIMINATOR_TERMS",
    "GENERATOR_TERMS",
    "IMAGE_TERMS",
    "AdversarialKind",
    "LossConfig",
    "PerceptualLoss",
    "charbonnier_loss",
    "discriminator_loss",
    "feature_matching_loss",
    "frequency_loss",
    "generator_loss",
    "gradient_penalty",
    "image_terms",
    "l1_loss",
    "ms_ssim_loss",
    "r1_penalty",
    "separation",
    "ssim_loss",
]
