"""Reconstructing one slice by each network: `models.ready_for_use`, as `evaluate` runs it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from mrirecon.bench.case import Case, Compute, Floors, Problem, Setup, Way
from mrirecon.bench.suites.models import (
    PLAIN,
    ROUNDING,
    SETTINGS,
    Model,
    arithmetic,
    describe,
    make_generator,
    models,
    prepare,
    undersampled,
)
from mrirecon.bench.suites.plain_models import plain_of
from mrirecon.data import Measurement
from mrirecon.models import Generator, ready_for_use

_AIMS = {"published ReconResNet": 2.4, "small ReconResNet": 2.7}


def cases(setup: Setup) -> Iterator[Case]:
    """Yield one slice for each network, and batches for one of them."""
    size = 32 if setup.small else 256
    for name, model in models(setup).items():
        yield _case(setup, name, model, size, 1)
    for batch_size in () if setup.small else (2, 4, 8, 16):
        name = "small ReconResNet"
        model = replace(models(setup)[name], is_compiled=False)
        yield _case(setup, name, model, size, batch_size)


def _case(setup: Setup, name: str, model: Model, size: int, batch_size: int) -> Case:
    return Case(
        "inference",
        f"{describe(name, model)}, {batch_size} x {size} x {size}",
        partial(_make, setup.device, model, size, batch_size),
        aims={PLAIN: _AIMS[name]} if name in _AIMS and batch_size == 1 else {},
        n_images=batch_size,
        curve=f"{name}, by batch" if name == "small ReconResNet" else "",
        at=batch_size,
    )


def _make(device: torch.device, model: Model, size: int, batch_size: int) -> Problem:
    generator = make_generator(model, device).eval()
    measured = undersampled(batch_size, size, device)
    ready = ready_for_use(generator, torch.bfloat16, device)
    ways: dict[str, Callable[[], Way]] = {
        "mrirecon": lambda: Way(_ours(ready, measured), setting="bfloat16, channels-last")
    }
    for way in model.plain_ways:
        ways[way] = partial(_plain, generator, measured, way)

    def expected() -> Tensor:
        exact = plain_of(generator).to(device).eval().double()
        with torch.inference_mode():
            image: Tensor = exact(measured.zero_filled.to(torch.complex128), measured.mask)
            return image

    return Problem(
        ways,
        expected,
        ROUNDING,
        Floors(convolutions=convolutions_of(ready, _ours(ready, measured))),
    )


def _ours(ready: Generator, measured: Measurement) -> Callable[[], Tensor]:
    @torch.inference_mode()
    def run() -> Tensor:
        image: Tensor = ready(measured.zero_filled, measured.mask).output
        return image

    return run


def _plain(generator: Generator, measured: Measurement, way: str) -> Way:
    device = measured.zero_filled.device
    network = prepare(plain_of(generator).to(device).eval(), way)

    @torch.inference_mode()
    def run() -> Tensor:
        with arithmetic(way, device):
            image: Tensor = network(measured.zero_filled, measured.mask)
            return image

    return Way(run, setting=SETTINGS[way])


Convolution = nn.Conv2d | nn.ConvTranspose2d


def convolutions_of(network: nn.Module, run: Compute) -> Compute:
    """Return what runs a network's convolutions alone, each on an input as it had in `run`.

    Those from or to one or two channels, for which the package has its own, are left out.
    """
    calls: list[tuple[nn.Module, Tensor]] = []

    def record(module: Convolution, inputs: tuple[Tensor, ...]) -> None:
        calls.append((module, inputs[0].detach().to(module.weight.dtype)))

    taken = [m for m in network.modules() if type(m) in (nn.Conv2d, nn.ConvTranspose2d)]
    hooks = [module.register_forward_pre_hook(record) for module in taken]
    run()
    for hook in hooks:
        hook.remove()

    @torch.inference_mode()
    def convolve() -> None:
        for module, features in calls:
            module(features)

    return convolve
