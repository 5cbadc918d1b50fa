"""One training step: reconstruct, update the discriminator, update the generator."""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from mrirecon.data import Measurement
from mrirecon.losses import LossConfig, discriminator_loss, generator_loss, l1_loss, ssim_loss
from mrirecon.models import Generator, PatchDiscriminator, Reconstruction
from mrirecon.training.config import Precision, TrainingConfig
from mrirecon.training.ema import update_average
from mrirecon.training.ledger import Ledger

Phase = Callable[[str], AbstractContextManager[None]]

_GENERATOR_BETAS = (0.9, 0.999)  # Adam's own, as in the ReconResNet paper
_DISCRIMINATOR_BETAS = (0.5, 0.999)  # Radford et al. 2016 (arXiv 1511.06434), section 3
_BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")  # as torch.cpu names them
_DATA_RANGE = 1.0  # targets are divided by their volume's maximum


@dataclass
class TrainingState:
    """All that a step changes, and so all that a checkpoint holds.

    Attributes:
        generator: being trained.
        average: moving average of the generator's weights, in evaluation mode.
        discriminator: being trained; None without an adversarial loss.
        generator_optimizer: of the generator.
        discriminator_optimizer: of the discriminator; None without one.
        step: steps done.
    """

    generator: Generator
    average: Generator
    discriminator: PatchDiscriminator | None
    generator_optimizer: Optimizer
    discriminator_optimizer: Optimizer | None
    step: int = 0


def make_state(
    generator: Generator,
    discriminator: PatchDiscriminator | None,
    config: TrainingConfig,
    device: torch.device,
) -> TrainingState:
    """Move the networks to the device and give each its optimiser.

    Raises:
        ValueError: the losses have an adversarial term and there is no discriminator.
    """
    if config.losses.adversarial > 0 and discriminator is None:
        raise ValueError("discriminator: expected one, since losses.adversarial > 0, got None")
    if config.losses.adversarial == 0:
        discriminator = None
    _place(generator, device, channels_last=config.channels_last)
    average = copy.deepcopy(generator).eval().requires_grad_(False)
    discriminator_optimizer = None
    if discriminator is not None:
        _place(discriminator, device, channels_last=config.channels_last)
        discriminator_optimizer = Adam(
            discriminator.parameters(), betas=_DISCRIMINATOR_BETAS, fused=True
        )
    return TrainingState(
        generator=generator,
        average=average,
        discriminator=discriminator,
        generator_optimizer=Adam(generator.parameters(), betas=_GENERATOR_BETAS, fused=True),
        discriminator_optimizer=discriminator_optimizer,
    )


def _place(network: nn.Module, device: torch.device, *, channels_last: bool) -> None:
    """Move a network to the device, order its weights, and set it to training."""
    network.to(device).train()
    if channels_last:
        for parameter in network.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def training_step(
    state: TrainingState,
    measurement: Measurement,
    config: TrainingConfig,
    ledger: Ledger | None = None,
) -> dict[str, Tensor]:
    """Update the discriminator, then the generator, then its average, on one batch.

    Nothing waits for the device. `state.step` is the caller's to count; a `ledger` counts the time
    of the forward and backward passes and of the optimisers.

    Returns:
        Scalars without gradient: "loss" (what the generator minimises), its terms "l1", "ssim",
        "network" and "adversarial" before weighting, "discriminator" (what it minimises), and its
        mean logits before its update, "logit_real" and "logit_fake".
    """
    losses, target = config.losses, measurement.target
    discriminator = state.discriminator
    if state.step < losses.adversarial_start:
        discriminator = None
    autocast = torch.autocast(
        target.device.type, torch.bfloat16, uses_bfloat16(config.precision, target.device)
    )
    phase = ledger.phase if ledger else _uncounted
    terms: dict[str, Tensor] = {}

    with phase("forward"), autocast:
        reconstruction = state.generator(measurement.zero_filled, measurement.sampled)
    image = reconstruction.trained  # (batch, 1, rows, cols)

    if discriminator is not None and state.discriminator_optimizer is not None:
        with phase("forward"):
            with autocast:
                logits = discriminator(torch.cat([target, image.detach()])).float()
            real, fake = logits.chunk(2)
            terms["discriminator"] = discriminator_loss(real, fake, kind=losses.adversarial_kind)
            terms["logit_real"], terms["logit_fake"] = real.mean(), fake.mean()
        _descend(state.discriminator_optimizer, terms["discriminator"], phase)

        discriminator.requires_grad_(False)  # the generator's loss gives it no gradient
        with phase("forward"), autocast:
            judged = discriminator(image).float()
        discriminator.requires_grad_(True)
        terms["adversarial"] = generator_loss(judged, kind=losses.adversarial_kind)

    with phase("forward"):
        terms |= _image_terms(reconstruction, target, losses)
        terms["loss"] = _weighted_sum(terms, losses)
    _descend(state.generator_optimizer, terms["loss"], phase)
    with phase("optimizer"):
        update_average(state.average, state.generator, decay=config.ema_decay, step=state.step)
    return {name: term.detach() for name, term in terms.items()}


def uses_bfloat16(precision: Precision, device: torch.device) -> bool:
    """Return whether the networks' arithmetic is in bfloat16 on a device."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in _BFLOAT16_INSTRUCTIONS)


def _image_terms(
    reconstruction: Reconstruction, target: Tensor, losses: LossConfig
) -> dict[str, Tensor]:
    terms: dict[str, Tensor] = {}
    image = reconstruction.trained
    if losses.l1 > 0:
        terms["l1"] = l1_loss(image, target)
    if losses.ssim > 0:
        terms["ssim"] = ssim_loss(image, target, data_range=_DATA_RANGE, window=losses.ssim_window)
    if losses.network > 0:
        terms["network"] = l1_loss(reconstruction.network, target)
    return terms


def _weighted_sum(terms: dict[str, Tensor], losses: LossConfig) -> Tensor:
    weights = asdict(losses)
    weighted = ("l1", "ssim", "network", "adversarial")
    parts = [weights[name] * terms[name] for name in weighted if name in terms]
    return torch.stack(parts).sum()


def _descend(optimizer: Optimizer, loss: Tensor, phase: Phase) -> None:
    with phase("backward"):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
    with phase("optimizer"):
        optimizer.step()


def _uncounted(_name: str) -> AbstractContextManager[None]:
    return nullcontext()


def compile_networks(state: TrainingState) -> None:
    """Compile the two trained networks in place; their parameters keep their names."""
    modules: list[nn.Module] = [state.generator.network]
    if state.discriminator is not None:
        modules.append(state.discriminator)
    for module in modules:
        module.compile()
