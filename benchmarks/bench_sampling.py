"""New masks for a whole batch, as each training step needs them; the CPU makes them.

Command: pytest benchmarks/bench_sampling.py --benchmark-only
"""

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from mrirecon.sampling import STRATEGIES, SamplingConfig, Strategy, mask_batch

SHAPE = (256, 256)
BATCH_SIZE = 64


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_mask_batch(benchmark: BenchmarkFixture, strategy: Strategy) -> None:
    config = SamplingConfig(strategy=strategy, acceleration=8)
    slices = torch.arange(BATCH_SIZE)
    volumes = torch.zeros_like(slices)
    masks = benchmark(
        lambda: mask_batch(config, SHAPE, seed=0, volumes=volumes, slices=slices, epoch=0)
    )
    assert masks.shape == (BATCH_SIZE, *((1, 256) if config.is_line_mask else SHAPE))
