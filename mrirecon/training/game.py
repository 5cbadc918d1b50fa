"""The game of discriminator and generator on one batch: what each is told by the other."""

from contextlib import AbstractContextManager
from dataclasses import asdict

import torch
from torch import Tensor

from mrirecon.data import Measurement
from mrirecon.losses import (
    DISCRIMINATOR_TERMS,
    LossConfig,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    gradient_penalty,
    r1_penalty,
    separation,
)
from mrirecon.models import Judgement, PatchDiscriminator


class Game:
    """Both sides' terms on one batch; the caller updates the networks in between.

    Args:
        discriminator: judges the images.
        measurement: the batch: its targets are the fully sampled images.
        losses: kind and weights.
        autocast: context of the networks' arithmetic; penalties are float32, since a derivative
            of second order would lose what bfloat16 has.
    """

    def __init__(
        self,
        discriminator: PatchDiscriminator,
        measurement: Measurement,
        losses: LossConfig,
        autocast: AbstractContextManager[object],
    ) -> None:
        self._discriminator = discriminator
        self._target = measurement.target
        self._losses = losses
        self._autocast = autocast
        self._condition: Tensor | None = None
        if discriminator.config.conditional:
            self._condition = measurement.zero_filled.abs()

    def discriminator_terms(self, fake: Tensor) -> dict[str, Tensor]:
        """Return what the discriminator minimises, and what it is made of.

        Args:
            fake: float32, (batch, 1, rows, cols), reconstructed images without gradient.
        """
        losses, weights = self._losses, asdict(self._losses)
        with self._autocast:
            real, judged = self._judge(torch.cat([self._target, fake])).halves()
        kind = losses.adversarial_kind
        terms = {"discriminator": discriminator_loss(real.logits, judged.logits, kind=kind)}
        terms["separation"] = separation(real.logits, judged.logits)
        for name, judgement in (("logit_real", real), ("logit_fake", judged)):
            terms[name] = torch.stack([logits.mean() for logits in judgement.logits]).mean()
        if losses.gradient_penalty > 0:
            terms["gradient_penalty"] = gradient_penalty(self._logits, self._target, fake)
        if losses.r1 > 0:
            terms["r1"] = r1_penalty(self._logits, self._target)
        for name in DISCRIMINATOR_TERMS:
            if name in terms:
                terms["discriminator"] = terms["discriminator"] + weights[name] * terms[name]
        return terms

    def generator_terms(self, fake: Tensor) -> dict[str, Tensor]:
        """Return what the generator is told of its images; the discriminator gets no gradient.

        Args:
            fake: float32, (batch, 1, rows, cols), reconstructed images with their gradient.
        """
        self._discriminator.requires_grad_(False)
        with self._autocast:
            judged = self._judge(fake)
        terms = {"adversarial": generator_loss(judged.logits, kind=self._losses.adversarial_kind)}
        if self._losses.feature_matching > 0:
            with torch.no_grad(), self._autocast:
                real = self._judge(self._target)
            terms["feature_matching"] = feature_matching_loss(judged.features, real.features)
        self._discriminator.requires_grad_(True)
        return terms

    def _judge(self, images: Tensor) -> Judgement:
        """Judge one batch of images, or two, one after the other."""
        condition = self._condition
        if condition is not None and len(images) == 2 * len(condition):
            condition = torch.cat([condition, condition])
        judgement: Judgement = self._discriminator(images, condition)
        return judgement

    def _logits(self, images: Tensor) -> list[Tensor]:
        return self._judge(images).logits
