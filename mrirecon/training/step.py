"""One training step: reconstruct, update the discriminator, update the generator."""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from mrirecon.data import Measurement
from mrirecon.losses import GENERATOR_TERMS, LossConfig, PerceptualLoss, image_terms, l1_loss
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.training.config import Precision, TrainingConfig
from mrirecon.training.ema import update_average
from mrirecon.training.game import Game
from mrirecon.training.ledger import Ledger

Phase = Callable[[str], AbstractContextManager[None]]

_GENERATOR_BETAS = (0.9, 0.999)  # Adam's own, as in the ReconResNet paper
_DISCRIMINATOR_BETAS = (0.5, 0.999)  # Radford et al. 2016 (arXiv 1511.06434), section 3
_BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")  # as torch.cpu names them


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
        perceptual: a loss with a network of its own, which does not change; None without it.
        is_simulated: whether it learns from simulated k-space, not from measured.
    """

    generator: Generator
    average: Generator
    discriminator: PatchDiscriminator | None
    generator_optimizer: Optimizer
    discriminator_optimizer: Optimizer | None
    step: int = 0
    perceptual: PerceptualLoss | None = None
    is_simulated: bool = True


def make_state(
    generator: Generator,
    discriminator: PatchDiscriminator | None,
    config: TrainingConfig,
    device: torch.device,
) -> TrainingState:
    """Move the networks to the device and give each its optimiser.

    Raises:
        ValueError: the losses have an adversarial term and there is no discriminator, or one that
            nothing keeps from being ever steeper; or the perceptual weights do not fit.
        FileNotFoundError: the perceptual weights are not there.
    """
    losses = config.losses
    if losses.adversarial == 0:
        discriminator = None
    else:
        _require_discriminator(discriminator, losses)
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
        perceptual=_make_perceptual(losses, device),
    )


def _require_discriminator(discriminator: PatchDiscriminator | None, losses: LossConfig) -> None:
    if discriminator is None:
        raise ValueError("discriminator: expected one, since losses.adversarial > 0, got None")
    is_bounded = discriminator.config.spectral_norm or losses.gradient_penalty > 0
    if losses.adversarial_kind == "wasserstein" and not is_bounded:
        raise ValueError(
            "losses.gradient_penalty: expected above 0 or a discriminator with spectral_norm, "
            "since a Wasserstein loss has no bound, got neither"
        )


def _make_perceptual(losses: LossConfig, device: torch.device) -> PerceptualLoss | None:
    if losses.perceptual == 0 or losses.perceptual_weights is None:
        return None
    return PerceptualLoss(Path(losses.perceptual_weights), losses.perceptual_layer).to(device)


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
        Scalars without gradient: "loss" (what the generator minimises) and its terms before
        weighting, named as in `LossConfig`; "discriminator" (what it minimises), its penalties
        before weighting, and of its last judgement before an update the mean logits "logit_real"
        and "logit_fake" and the "separation" of both.
    """
    losses, target = config.losses, measurement.target
    phase = ledger.phase if ledger else _uncounted
    autocast = torch.autocast(
        target.device.type, torch.bfloat16, uses_bfloat16(config.precision, target.device)
    )
    terms: dict[str, Tensor] = {}

    # Reconstruct.
    with phase("forward"), autocast:
        reconstruction = state.generator(
            measurement.zero_filled,
            measurement.sampled,
            measurement.phase,
            measurement.coil_maps,
        )
    image = reconstruction.trained  # (batch, 1, rows, cols)

    # Teach the discriminator, then ask what it thinks.
    if state.discriminator is not None and state.step >= losses.adversarial_start:
        game = Game(state.discriminator, measurement, losses, autocast)
        for _ in range(losses.discriminator_steps):
            with phase("forward"):
                terms |= game.discriminator_terms(image.detach())
            assert state.discriminator_optimizer is not None
            _descend(state.discriminator_optimizer, terms["discriminator"], phase)
        with phase("forward"):
            terms |= game.generator_terms(image)

    # Teach the generator, and let its average follow.
    with phase("forward"):
        terms |= image_terms(image, target, losses, state.perceptual)
        if losses.network > 0:
            terms["network"] = l1_loss(reconstruction.network, target)
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


def _weighted_sum(terms: dict[str, Tensor], losses: LossConfig) -> Tensor:
    weights = asdict(losses)
    return torch.stack(
        [weights[name] * terms[name] for name in GENERATOR_TERMS if name in terms]
    ).sum()


def _descend(optimizer: Optimizer, loss: Tensor, phase: Phase) -> None:
    with phase("backward"):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
    with phase("optimizer"):
        optimizer.step()


def _uncounted(_name: str) -> AbstractContextManager[None]:
    return nullcontext()


def compile_networks(state: TrainingState, losses: LossConfig) -> None:
    """Compile the two trained networks in place; their parameters keep their names.

    A discriminator whose gradient is penalised stays as it is: what torch.compile makes has no
    second derivative.
    """
    modules: list[nn.Module] = [state.generator.network]
    is_penalised = losses.gradient_penalty > 0 or losses.r1 > 0
    if state.discriminator is not None and not is_penalised:
        modules.append(state.discriminator)
    for module in modules:
        module.compile()
