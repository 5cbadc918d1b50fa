"""A training step as most would write it: Adam, L1 and SSIM, a hinge game, averaged weights."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Adam
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mrirecon.bench.suites.models import (
    PLAIN,
    Model,
    arithmetic,
    make_generator,
    prepare,
)
from mrirecon.bench.suites.plain_models import plain_of
from mrirecon.bench.suites.ssim_ways import convolve, from_averages
from mrirecon.data import Measurement
from mrirecon.models import PatchDiscriminator, PatchDiscriminatorConfig
from mrirecon.reference import ssim as reference

ADVERSARIAL = 0.01  # weight of the game in the generator's loss
_RATE, _DECAY = 1e-3, 0.999  # the rate is that of the package's bare step: `train` sets others


def make_discriminator(model: Model, device: torch.device) -> PatchDiscriminator | None:
    """Make the discriminator, which is plain already: convolutions and leaky rectifiers."""
    if model.discriminator is None:
        return None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        made = PatchDiscriminator(PatchDiscriminatorConfig(model.discriminator))
    return made.to(device)


class PlainStep:
    """A step of the plain networks, in one of the ways that they are run.

    Args:
        model: what is trained.
        measured: the batch.
        way: PLAIN, MIXED or COMPILED.
        dtype: of weights and images where it is PLAIN; double tells what is right.
    """

    def __init__(
        self, model: Model, measured: Measurement, way: str, dtype: torch.dtype = torch.float32
    ) -> None:
        device = measured.target.device
        self._target = measured.target.to(dtype)
        self._zero_filled = measured.zero_filled.to(dtype.to_complex())
        self._mask = measured.mask
        self._arithmetic = partial(arithmetic, way, device)
        generator = plain_of(make_generator(model, device)).to(device, dtype).train()
        self._average = AveragedModel(generator, multi_avg_fn=get_ema_multi_avg_fn(_DECAY))
        self._generator = prepare(generator, way)
        is_fused = way != PLAIN
        self._adam = Adam(generator.parameters(), lr=_RATE, fused=is_fused)
        judge = make_discriminator(model, device)
        self._judge = None if judge is None else prepare(judge.to(dtype), way)
        if self._judge is not None:
            parameters = self._judge.parameters()
            self._judge_adam = Adam(parameters, lr=_RATE, betas=(0.5, 0.999), fused=is_fused)
        weights, scale = reference.window_weights("gaussian", self._target)
        self._ssim = partial(from_averages, partial(convolve, weights.sum(0)), scale)

    def __call__(self) -> Tensor:
        """Take a step and return the generator's loss."""
        target = self._target
        with self._arithmetic():
            image: Tensor = self._generator(self._zero_filled, self._mask)
        loss = functional.l1_loss(image, target) + 1 - self._ssim(image, target).mean()
        if self._judge is not None:
            loss = loss + ADVERSARIAL * self._play(image)
        self._adam.zero_grad()
        loss.backward()
        self._adam.step()
        self._average.update_parameters(self._generator)
        return loss.detach()

    def _play(self, image: Tensor) -> Tensor:
        """Teach the discriminator, then return what the generator minimises."""
        assert self._judge is not None
        real, fake = self._logits(self._target), self._logits(image.detach())
        self._judge_adam.zero_grad()
        ((1 - real).relu().mean() + (1 + fake).relu().mean()).backward()
        self._judge_adam.step()
        self._judge.requires_grad_(False)
        fake = self._logits(image)
        self._judge.requires_grad_(True)
        return -fake.mean()

    def _logits(self, image: Tensor) -> Tensor:
        assert self._judge is not None
        with self._arithmetic():
            (logits,) = self._judge(image).logits
        return logits.to(image.dtype)
