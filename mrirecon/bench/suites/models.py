"""The networks that the suites `training` and `inference` take, and how plain ones are run."""

from dataclasses import dataclass

import torch
from torch import nn

from mrirecon.bench.case import Setup
from mrirecon.data import Measurement, RawBatch, simulate
from mrirecon.models import (
    CnnConfig,
    DualDomainConfig,
    Generator,
    GeneratorConfig,
    ReconResNetConfig,
    UNetConfig,
    UnrolledConfig,
)
from mrirecon.sampling import SamplingConfig

ROUNDING = 3e-2  # relative, of images or losses: some 30 layers that round to 8 bits each
PLAIN, MIXED = "PyTorch: float32", "PyTorch: bfloat16, channels-last"
COMPILED = "torch.compile: bfloat16, channels-last"
SETTINGS = {
    PLAIN: "eager, contiguous, torch's layers",
    MIXED: "the same by autocast, all in channels-last order",
    COMPILED: "the same, compiled for the size",
}


@dataclass(frozen=True)
class Model:
    """A network, and what it is trained with.

    Attributes:
        network: its configuration.
        batch_size: slices in a step.
        discriminator: its width, which makes the step that of a GAN; None for none.
        is_compiled: whether torch.compile is timed too, which takes up to a minute before.
    """

    network: ReconResNetConfig | UNetConfig | UnrolledConfig | DualDomainConfig
    batch_size: int
    discriminator: int | None = None
    is_compiled: bool = False

    @property
    def plain_ways(self) -> list[str]:
        """How its plain form is run."""
        return [PLAIN, MIXED, COMPILED] if self.is_compiled else [PLAIN, MIXED]

    @property
    def generator(self) -> GeneratorConfig:
        """The network, with hard consistency where it has none of its own."""
        has_own = isinstance(self.network, UnrolledConfig | DualDomainConfig)
        return GeneratorConfig(self.network, "none" if has_own else "inside")


def models(setup: Setup) -> dict[str, Model]:
    """Return the networks by name."""
    if setup.small:
        unet = UNetConfig(width=4, n_levels=2)
        return {
            "small ReconResNet": Model(ReconResNetConfig(4, 1, residual=True), 2, 4),
            "unrolled": Model(UnrolledConfig(2, CnnConfig(4, 3)), 2),
            "U-Net": Model(unet, 2),
            "dual domain": Model(DualDomainConfig(kspace=unet, image=unet), 2),
        }
    unet, small = UNetConfig(width=16), ReconResNetConfig(16, 6, residual=True)
    return {
        "published ReconResNet": Model(ReconResNetConfig(), 2, 64, is_compiled=True),
        "small ReconResNet": Model(small, 8, 16, is_compiled=True),
        "unrolled": Model(UnrolledConfig(5, CnnConfig(48, 5)), 4, is_compiled=True),
        "U-Net": Model(UNetConfig(), 2),
        "dual domain": Model(DualDomainConfig(kspace=unet, image=unet), 2),
    }


def describe(name: str, model: Model) -> str:
    """Name a network with its size."""
    match model.network:
        case ReconResNetConfig(width=width, n_blocks=n_blocks):
            return f"{name}, {width} channels, {n_blocks} blocks"
        case UNetConfig(width=width, n_levels=n_levels):
            return f"{name}, {width} channels, {n_levels} levels"
        case UnrolledConfig(n_cascades=n_cascades, refinement=CnnConfig(width=width, n_layers=n)):
            return f"{name}, {n_cascades} cascades of {n} layers, {width} channels"
        case _:
            return f"{name}, two U-Nets"


def undersampled(batch_size: int, size: int, device: torch.device) -> Measurement:
    """Undersample a batch of noise by random lines."""
    random = torch.Generator().manual_seed(0)
    raw = RawBatch(
        images=torch.rand((batch_size, size, size), generator=random),
        scale=torch.ones(batch_size),
        volumes=torch.zeros(batch_size, dtype=torch.int64),
        slices=torch.arange(batch_size),
    )
    return simulate(raw.to(device), SamplingConfig(), seed=0)


def make_generator(model: Model, device: torch.device) -> Generator:
    """Make a generator none of whose convolutions is zero, as after some training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = Generator(model.generator)
        for parameter in generator.parameters():
            if parameter.dim() == 4 and not parameter.any():
                nn.init.normal_(parameter, std=0.02)
    return generator.to(device)


def prepare(network: nn.Module, way: str) -> nn.Module:
    """Lay out and compile a plain network, in place, for one of the ways that it is run.

    Args:
        network: contiguous.
        way: PLAIN, MIXED or COMPILED.
    """
    if way != PLAIN:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if way == COMPILED:
        network.compile(dynamic=False)
    return network


def arithmetic(way: str, device: torch.device) -> torch.autocast:
    """Return what a plain network runs in."""
    return torch.autocast(device.type, torch.bfloat16, enabled=way != PLAIN)
