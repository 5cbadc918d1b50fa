"""One training step of generator and discriminator, in images per second.

Command: pytest benchmarks/bench_training.py --benchmark-only --benchmark-columns=median,iqr,rounds
The rate stands in `extra_info` of --benchmark-json FILE. Compiled steps are chosen with
-k compiled; each takes a minute or more to compile.
"""

from dataclasses import replace

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from mrirecon.data import Measurement, RawBatch, simulate
from mrirecon.losses import LossConfig
from mrirecon.models import (
    Generator,
    GeneratorConfig,
    PatchDiscriminator,
    PatchDiscriminatorConfig,
    ReconResNetConfig,
)
from mrirecon.sampling import SamplingConfig
from mrirecon.training import TrainingConfig, TrainingState, make_state, training_step
from mrirecon.training.state import compile_networks

N = 256  # rows and columns
DISCRIMINATOR = PatchDiscriminatorConfig(width=16)
PLAIN = TrainingConfig(losses=LossConfig(ssim=0.1))
WAYS = {
    "float32": PLAIN,
    "float32 channels_last": replace(PLAIN, channels_last=True),
    "bfloat16": replace(PLAIN, precision="bfloat16"),
    "bfloat16 channels_last": replace(PLAIN, precision="bfloat16", channels_last=True),
    "float32 compiled": replace(PLAIN, compile=True),
    "bfloat16 compiled": replace(PLAIN, precision="bfloat16", compile=True),
}
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def make(
    config: TrainingConfig, width: int, n_blocks: int, batch_size: int
) -> tuple[TrainingState, Measurement]:
    torch.manual_seed(0)
    network = ReconResNetConfig(width, n_blocks, residual=True)
    generator = Generator(GeneratorConfig(network, "inside"))
    state = make_state(generator, PatchDiscriminator(DISCRIMINATOR), config, DEVICE)
    raw = RawBatch(
        images=torch.rand(batch_size, N, N),
        scale=torch.ones(batch_size),
        volumes=torch.zeros(batch_size, dtype=torch.int64),
        slices=torch.arange(batch_size),
    )
    return state, simulate(raw.to(DEVICE), SamplingConfig(), seed=0)


def loss_of(state: TrainingState, measurement: Measurement, config: TrainingConfig) -> float:
    """Take a step and wait for it."""
    torch.manual_seed(1)
    return training_step(state, measurement, config)["loss"].item()


@pytest.mark.filterwarnings("default::DeprecationWarning")  # torch.compile uses torch.jit inside
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("batch_size", [1, 4, 8])
@pytest.mark.parametrize(("width", "n_blocks"), [(16, 3), (16, 6), (24, 4), (32, 4)])
def test_training_step(
    benchmark: BenchmarkFixture, width: int, n_blocks: int, batch_size: int, way: str
) -> None:
    expected = loss_of(*make(PLAIN, width, n_blocks, batch_size), PLAIN)
    config = WAYS[way]
    state, measurement = make(config, width, n_blocks, batch_size)
    if config.compile:
        compile_networks(state, config.losses, cuda_graphs=False)
    # The first step sees an untrained network, whose residual output is its input in any precision.
    assert loss_of(state, measurement, config) == pytest.approx(expected, rel=1e-2)
    benchmark.group = f"training step {N}x{N} width {width} blocks {n_blocks} batch {batch_size}"
    benchmark.pedantic(
        loss_of, (state, measurement, config), rounds=5, iterations=1, warmup_rounds=2
    )
    # With --benchmark-disable the function runs once and there are no statistics.
    if benchmark.stats is not None:
        rate = batch_size / benchmark.stats.stats.median
        benchmark.extra_info["images_per_second"] = round(rate, 2)
    benchmark.extra_info.update(
        device=str(DEVICE), threads=torch.get_num_threads(), torch=torch.__version__
    )
