"""Steps and reconstructions against the same model written the plain way, timed in turn.

Plain: eager float32, contiguous, torch's layers (plain_models.py), Adam, SSIM by separable
windows, both axes transformed. Ours: what `mrirecon train` and `evaluate` run with
`precision: bfloat16` and `channels_last`. Before timing, both start from one set of weights, and
the images (or first losses, without dropout) must agree to what bfloat16 rounds. The case `ledger`
trains by `mrirecon.training.train` from a store, and compares its images/s with the bare step's.

Command: OMP_NUM_THREADS=2 python benchmarks/bench_training.py CASE ... [--rounds N]
"""

import argparse
import copy
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import torch
from bench_loader import write_store
from plain_models import PlainGenerator, PlainReconResNet, PlainUnrolled, plain_ssim
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from mrirecon import native
from mrirecon.data import Measurement, RawBatch, SliceDataset, SliceStore, simulate
from mrirecon.losses import LossConfig
from mrirecon.models import (
    CnnConfig,
    Generator,
    GeneratorConfig,
    PatchDiscriminator,
    PatchDiscriminatorConfig,
    ReconResNetConfig,
    UnrolledConfig,
    ready_for_use,
)
from mrirecon.sampling import SamplingConfig
from mrirecon.training import TrainingConfig, TrainingState, make_state, train, training_step

N = 256  # rows and columns
CPU = torch.device("cpu")
SAMPLING = SamplingConfig()
ADVERSARIAL = 0.01
ROUNDING = 3e-2  # relative, of images or losses: some 30 layers that round to 8 bits each
LEDGER_STEPS = 48

Way = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """A model at its batch size; a discriminator's width makes its step that of a GAN."""

    network: ReconResNetConfig | UnrolledConfig
    batch_size: int
    discriminator: int | None
    bar: float

    @property
    def generator(self) -> GeneratorConfig:
        """The network, with hard consistency where it has none of its own."""
        return GeneratorConfig(self.network, "inside" if self.discriminator else "none")

    @property
    def training(self) -> TrainingConfig:
        """What the package trains with."""
        losses = LossConfig(adversarial=ADVERSARIAL if self.discriminator else 0.0)
        return TrainingConfig(losses=losses, precision="bfloat16", channels_last=True)


PUBLISHED = Case(ReconResNetConfig(), 2, 64, 2.2)
SMALL = Case(ReconResNetConfig(16, 6, residual=True), 8, 16, 2.8)
CASCADES = Case(UnrolledConfig(5, CnnConfig(48, 5)), 4, None, 3.3)
STEPS = {"published-step": PUBLISHED, "small-step": SMALL, "unrolled-step": CASCADES}
USES = {
    "published-inference": replace(PUBLISHED, batch_size=1, bar=2.4),
    "small-inference": replace(SMALL, batch_size=1, bar=2.7),
}


def measure(batch_size: int) -> Measurement:
    """Undersample a batch of noise."""
    torch.manual_seed(0)
    raw = RawBatch(
        images=torch.rand(batch_size, N, N),
        scale=torch.ones(batch_size),
        volumes=torch.zeros(batch_size, dtype=torch.int64),
        slices=torch.arange(batch_size),
    )
    return simulate(raw, SAMPLING, seed=0)


def make_generator(case: Case) -> Generator:
    """Make a generator none of whose weights is zero, as after some training."""
    torch.manual_seed(0)
    generator = Generator(case.generator)
    for parameter in generator.parameters():
        if parameter.dim() == 4 and not parameter.any():
            nn.init.normal_(parameter, std=0.02)
    return generator


def plain_of(generator: Generator) -> nn.Module:
    """Write the same network the plain way, with the same weights."""
    network, weights = generator.config.network, generator.state_dict()
    plain: nn.Module
    if isinstance(network, UnrolledConfig):
        plain = PlainUnrolled(network)
        weights = {name.removeprefix("network."): tensor for name, tensor in weights.items()}
    else:
        assert isinstance(network, ReconResNetConfig)
        plain = PlainGenerator(PlainReconResNet(network))
    plain.load_state_dict(weights)
    return plain


def make_discriminator(case: Case) -> PatchDiscriminator | None:
    """Make the discriminator, which is plain already: convolutions and leaky rectifiers."""
    torch.manual_seed(1)
    width = case.discriminator
    return None if width is None else PatchDiscriminator(PatchDiscriminatorConfig(width))


class PlainStep:
    """A training step as most would write it."""

    def __init__(self, case: Case, measurement: Measurement) -> None:
        self.measurement = measurement
        self.generator = plain_of(make_generator(case)).train()
        self.average = copy.deepcopy(self.generator)
        self.discriminator = make_discriminator(case)
        self.optimizer = Adam(self.generator.parameters(), lr=1e-4)
        if self.discriminator is not None:
            self.judges = Adam(self.discriminator.parameters(), lr=1e-4, betas=(0.5, 0.999))

    def __call__(self) -> float:
        """Take a step and return the generator's loss."""
        target = self.measurement.target
        image = self.generator(self.measurement.zero_filled, self.measurement.mask)
        loss = functional.l1_loss(image, target) + 1 - plain_ssim(image, target)
        if self.discriminator is not None:
            loss = loss + ADVERSARIAL * self._play(self.discriminator, image)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
            for average, parameter in pairs:
                average.lerp_(parameter, 0.001)
        return loss.item()

    def _play(self, discriminator: PatchDiscriminator, image: Tensor) -> Tensor:
        (real,) = discriminator(self.measurement.target).logits
        (fake,) = discriminator(image.detach()).logits
        self.judges.zero_grad()
        ((1 - real).relu().mean() + (1 + fake).relu().mean()).backward()
        self.judges.step()
        discriminator.requires_grad_(False)
        (fake,) = discriminator(image).logits
        discriminator.requires_grad_(True)
        return -fake.mean()


def make_ours(case: Case) -> TrainingState:
    """Make the package's state of the same step."""
    return make_state(make_generator(case), make_discriminator(case), case.training, CPU)


def step_ways(case: Case) -> dict[str, Way]:
    """Check that first losses agree without dropout, then return both steps."""
    without = case
    if isinstance(case.network, ReconResNetConfig):
        without = replace(case, network=replace(case.network, dropout=0.0))
    measurement = measure(case.batch_size)
    first = training_step(make_ours(without), measurement, without.training)["loss"].item()
    require_near(first, PlainStep(without, measurement)())
    state = make_ours(case)

    def ours() -> float:
        return training_step(state, measurement, case.training)["loss"].item()

    return {"plain": PlainStep(case, measurement), "mrirecon": ours}


@torch.inference_mode()
def use_ways(case: Case) -> dict[str, Way]:
    """Check that both reconstructions agree, then return them."""
    generator, measurement = make_generator(case).eval(), measure(case.batch_size)
    plain, ready = plain_of(generator).eval(), ready_for_use(generator, torch.bfloat16, CPU)

    @torch.inference_mode()
    def run_plain() -> Tensor:
        image: Tensor = plain(measurement.zero_filled, measurement.mask)
        return image

    @torch.inference_mode()
    def run_ours() -> Tensor:
        image: Tensor = ready(measurement.zero_filled, measurement.mask).output
        return image

    expected = run_plain()
    require_near(float((run_ours() - expected).norm() / expected.norm()) + 1, 1)
    return {"plain": run_plain, "mrirecon": run_ours}


def require_near(found: float, expected: float) -> None:
    """Stop unless two numbers agree to what bfloat16 rounds."""
    assert abs(found - expected) <= ROUNDING * abs(expected), f"{found}, expected {expected}"


def time_in_turn(ways: dict[str, Way], rounds: int) -> dict[str, list[float]]:
    """Time each in every round, after one that warms up [s]."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if number:
                times[name].append(time.perf_counter() - start)
    return times


def print_row(name: str, case: Case, times: dict[str, list[float]]) -> None:
    """Print medians and quartiles in images/s, and the ratio beside its bar."""
    cells = []
    for series in times.values():
        low, median, high = statistics.quantiles(series * 2, n=4)
        low, median, high = (case.batch_size / t for t in (high, median, low))
        cells.append(f"{median:.2f} ({low:.2f} to {high:.2f})")
    plain, ours = (statistics.median(series) for series in times.values())
    print(f"| {name} | {' | '.join(cells)} | {plain / ours:.2f} | {case.bar} |", flush=True)


def time_ledger() -> None:
    """Train the small GAN from a store, between two timings of its bare step."""
    case = SMALL
    step = step_ways(case)["mrirecon"]
    bare = time_in_turn({"bare": step}, 12)["bare"]
    config = replace(
        case.training,
        steps=LEDGER_STEPS,
        batch_size=case.batch_size,
        checkpoint_every=LEDGER_STEPS,
        validate_every=LEDGER_STEPS,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.h5"
        write_store(path, LEDGER_STEPS * case.batch_size // 3, N)
        with SliceStore(path) as store:
            dataset, run = SliceDataset(store, "train"), Path(folder) / "run"
            networks = make_generator(case), make_discriminator(case)
            train(run, *networks, dataset, SAMPLING, config, device=CPU)
        records = [json.loads(line) for line in (run / "speed.jsonl").read_text().splitlines()]
    bare += time_in_turn({"bare": step}, 12)["bare"]
    rate = case.batch_size / statistics.median(bare)
    print("\n| epoch | images/s | of the bare step's | shares of the time |\n|---|---|---|---|")
    for epoch in (record for record in records if "shares" in record):
        shares = ", ".join(f"{name} {100 * s:.1f} %" for name, s in epoch["shares"].items())
        found = epoch["images_per_second"]
        print(f"| {epoch['epoch']} | {found:.2f} | {found / rate:.3f} | {shares} |")
    print(f"\nbare step: {rate:.2f} images/s")


def main() -> None:
    """Print a table of the cases asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = list(chain(STEPS, USES, ["ledger"]))
    parser.add_argument("cases", nargs="+", choices=names)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    native.keep_freed_memory()
    print("| case | plain, images/s (quartiles) | mrirecon | ratio | bar |\n|---|---|---|---|---|")
    for name in options.cases:
        if name in STEPS:
            print_row(name, STEPS[name], time_in_turn(step_ways(STEPS[name]), options.rounds))
        elif name in USES:
            print_row(name, USES[name], time_in_turn(use_ways(USES[name]), options.rounds))
        else:
            time_ledger()


if __name__ == "__main__":
    main()
