"""A training step of each network: `training.training_step`, as `train` runs it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from mrirecon.bench.case import Case, Problem, Setup, Way
from mrirecon.bench.suites.models import (
    COMPILED,
    PLAIN,
    ROUNDING,
    SETTINGS,
    Model,
    describe,
    make_generator,
    models,
    undersampled,
)
from mrirecon.bench.suites.training_ways import ADVERSARIAL, PlainStep, make_discriminator
from mrirecon.data import Measurement
from mrirecon.losses import LossConfig
from mrirecon.models import ReconResNetConfig
from mrirecon.training import TrainingConfig, make_state, training_step

Step = Callable[[], Tensor]
_AIMS = {"published ReconResNet": 2.2, "small ReconResNet": 2.8, "unrolled": 3.3}
_NOT_COMPILED = ("published ReconResNet",)


def cases(setup: Setup) -> Iterator[Case]:
    """Yield a step of each network, of a GAN where it has a discriminator."""
    size = 32 if setup.small else 256
    for name, model in models(setup).items():
        kind = "GAN step" if model.discriminator else "step"
        yield Case(
            "training",
            f"{kind}, {describe(name, model)}, {model.batch_size} x {size} x {size}",
            partial(_make, setup.device, name, model, size),
            aims={PLAIN: _AIMS[name]} if name in _AIMS else {},
            n_images=model.batch_size,
        )


def _make(device: torch.device, name: str, model: Model, size: int) -> Problem:
    measured = undersampled(model.batch_size, size, device)
    # Compiling the step of the published size takes minutes.
    plain = [way for way in model.plain_ways if name not in _NOT_COMPILED or way != COMPILED]
    settings = {"mrirecon": "bfloat16, channels-last"} | {way: SETTINGS[way] for way in plain}
    steps: dict[str, Callable[[Model], Step]] = {
        "mrirecon": lambda model: our_step(model, measured)
    }
    for way in plain:
        steps[way] = partial(PlainStep, measured=measured, way=way)
    return Problem(
        {way: partial(_way, model, make, settings[way]) for way, make in steps.items()},
        PlainStep(_calm(model), measured, PLAIN, torch.float64),
        ROUNDING,
    )


def _way(model: Model, make: Callable[[Model], Step], setting: str) -> Way:
    """Time steps of a model; check the first loss without what is random."""
    return Way(make(model), lambda _: make(_calm(model))(), setting)


def _calm(model: Model) -> Model:
    """Return the model without dropout, which each way draws on its own."""
    if isinstance(model.network, ReconResNetConfig):
        return replace(model, network=replace(model.network, dropout=0.0))
    return model


def our_step(model: Model, measured: Measurement) -> Step:
    """Return this package's step, which gives the generator's loss."""
    device = measured.target.device
    config = training_config(model)
    judge = make_discriminator(model, device)
    state = make_state(make_generator(model, device), judge, config, device)
    return lambda: training_step(state, measured, config)["loss"]


def training_config(model: Model) -> TrainingConfig:
    """Return what the package trains a model with."""
    losses = LossConfig(adversarial=ADVERSARIAL if model.discriminator else 0.0)
    return TrainingConfig(losses=losses, precision="bfloat16", channels_last=True)
