"""All that a training step changes, made ready on its device."""

import copy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.amp import GradScaler
from torch.optim import Adam, Optimizer
from torch.utils.checkpoint import checkpoint

from mrirecon.losses import LossConfig, PerceptualLoss
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.training.config import TrainingConfig
from mrirecon.training.precision import make_scaler

_GENERATOR_BETAS = (0.9, 0.999)  # Adam's own, as in the ReconResNet paper
_DISCRIMINATOR_BETAS = (0.5, 0.999)  # Radford et al. 2016 (arXiv 1511.06434), section 3


@dataclass
class TrainingState:
    """All that a step changes, and so all that a checkpoint holds.

    Attributes:
        generator: being trained.
        average: moving average of the generator's weights, in evaluation mode.
        discriminator: being trained; None without an adversarial loss.
        generator_optimizer: of the generator.
        discriminator_optimizer: of the discriminator; None without one.
        scaler: of losses, in float16.
        step: steps done.
        n_rollbacks: times that the run went back to a checkpoint because it diverged.
        perceptual: a loss with a network of its own, which does not change; None without it.
        is_simulated: whether it learns from simulated k-space, not from measured.
    """

    generator: Generator
    average: Generator
    discriminator: PatchDiscriminator | None
    generator_optimizer: Optimizer
    discriminator_optimizer: Optimizer | None
    scaler: GradScaler = field(default_factory=lambda: GradScaler("cpu", enabled=False))
    step: int = 0
    n_rollbacks: int = 0
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
            nothing keeps from being ever steeper; the perceptual weights do not fit; nothing in
            the generator has a name of `config.frozen`, or all is frozen; or the network has no
            blocks to be recomputed.
        FileNotFoundError: the perceptual weights are not there.
    """
    losses = config.losses
    if losses.adversarial == 0:
        discriminator = None
    else:
        _require_discriminator(discriminator, losses)
    _place(generator, device, channels_last=config.channels_last)
    average = copy.deepcopy(generator).eval().requires_grad_(False)
    freeze(generator, config.frozen)
    if config.recompute:
        recompute_blocks(generator.network)
    discriminator_optimizer = None
    if discriminator is not None:
        _place(discriminator, device, channels_last=config.channels_last)
        discriminator_optimizer = Adam(
            discriminator.parameters(), betas=_DISCRIMINATOR_BETAS, fused=True
        )
    learning = [parameter for parameter in generator.parameters() if parameter.requires_grad]
    return TrainingState(
        generator=generator,
        average=average,
        discriminator=discriminator,
        generator_optimizer=Adam(learning, betas=_GENERATOR_BETAS, fused=True),
        discriminator_optimizer=discriminator_optimizer,
        scaler=make_scaler(config.precision, device),
        perceptual=_make_perceptual(losses, device),
    )


def freeze(generator: Generator, names: tuple[str, ...]) -> None:
    """Keep parameters as they are, those whose name is or begins with one of `names`.

    Raises:
        ValueError: no parameter has such a name, or none is left to learn.
    """
    parameters = dict(generator.named_parameters())
    for name in names:
        found = [p for key, p in parameters.items() if f"{key}.".startswith(f"{name}.")]
        if not found:
            known = ", ".join(dict.fromkeys(".".join(key.split(".")[:2]) for key in parameters))
            raise ValueError(f"frozen: expected names of parts ({known}), got {name!r}")
        for parameter in found:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in parameters.values()):
        raise ValueError("frozen: expected some parameters to be left to learn, got none")


def recompute_blocks(network: nn.Module) -> None:
    """Keep the input of each block alone for the backward pass, and compute the rest again.

    A block is an entry of a list of modules, or of a sequence whose entries have parts of their
    own: cascades, residual blocks, levels of a U-Net. Source: Chen et al. 2016 (arXiv 1604.06174).

    Raises:
        ValueError: the network has no blocks.
    """
    blocks = _blocks(network)
    if not blocks:
        kind = type(network).__name__
        raise ValueError(f"recompute: expected a network made of blocks, got {kind}, which is one")
    for block in blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)


def _blocks(module: nn.Module) -> list[nn.Module]:
    blocks = []
    for child in module.children():
        in_sequence = isinstance(module, nn.Sequential) and any(True for _ in child.children())
        in_list = isinstance(module, nn.ModuleList)
        blocks += [child] if in_sequence or in_list else _blocks(child)
    return blocks


def compile_networks(state: TrainingState, losses: LossConfig, *, cuda_graphs: bool) -> None:
    """Compile the two trained networks in place; their parameters keep their names.

    A discriminator whose gradient is penalised stays as it is: what torch.compile makes has no
    second derivative.

    Args:
        state: whose networks to compile.
        losses: say whether the discriminator's gradient is penalised.
        cuda_graphs: record the kernels of each pass and launch them as one.

    Raises:
        ValueError: `cuda_graphs` without a GPU.
    """
    device = next(state.generator.parameters()).device
    if cuda_graphs and device.type != "cuda":
        raise ValueError(f"cuda_graphs: expected a CUDA device, got {device}")
    modules: list[nn.Module] = [state.generator.network]
    is_penalised = losses.gradient_penalty > 0 or losses.r1 > 0
    if state.discriminator is not None and not is_penalised:
        modules.append(state.discriminator)
    for module in modules:
        module.compile(mode="reduce-overhead" if cuda_graphs else None)


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
