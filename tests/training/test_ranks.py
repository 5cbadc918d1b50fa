"""Two processes with half a batch each do what one with the whole batch does."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import small_run as small_run_script
import torch
from safetensors.torch import load_file
from small_run import PLAIN, PLAIN_GENERATOR, small_run
from torch import nn
from torch.optim import SGD

from mrirecon.training import last_checkpoint, read_records
from mrirecon.training.ranks import alone
from mrirecon.training.step import clip_gradients

EPS = torch.finfo(torch.float32).eps


def launch(*arguments: object, processes: int) -> subprocess.CompletedProcess[str]:
    script = [small_run_script.__file__, *map(str, arguments)]
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return subprocess.run(
        [*start, f"--nproc-per-node={processes}", *script],
        env={"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def runs(store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Six slices of seven in batches of two: one process, and two with a slice each."""
    folder = tmp_path_factory.mktemp("ranks")
    small_run(store, folder / "1", replace(PLAIN, steps=6), generator_config=PLAIN_GENERATOR)
    arguments = (store, folder / "2", "--steps", 6, "--batch", 1, "--plain")
    result = launch(*arguments, processes=2)
    assert result.returncode == 0, result.stderr[-2000:]
    return {processes: folder / str(processes) for processes in (1, 2)}


def test_losses_are_those_of_one_process(runs: dict[int, Path]) -> None:
    alone_, together = (
        [r for r in read_records(runs[n] / "metrics.jsonl") if "loss" in r] for n in (1, 2)
    )
    assert len(alone_) == len(together) == 6
    for expected, found in zip(alone_, together, strict=True):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-5, abs=1e-6), name


def test_only_the_first_process_writes_the_run(runs: dict[int, Path]) -> None:
    checkpoint = last_checkpoint(runs[2] / "checkpoints")
    assert checkpoint is not None and checkpoint.name == "step_000006"
    expected = last_checkpoint(runs[1] / "checkpoints")
    assert expected is not None
    found, wanted = (load_file(path / "model.safetensors") for path in (checkpoint, expected))
    for name, tensor in wanted.items():
        # Adam divides by the gradient's own size: a rounding of it may move a weight by a step.
        assert torch.allclose(found[name], tensor, atol=6 * PLAIN.learning_rate), name
    other = read_records(runs[2] / "ranks" / "1" / "metrics.jsonl")
    own = read_records(runs[2] / "metrics.jsonl")
    assert other == [record for record in own if "loss" in record]
    assert not (runs[2] / "ranks" / "1" / "checkpoints").exists()


def test_a_gradient_is_shortened_to_the_largest_norm() -> None:
    parameter = nn.Parameter(torch.zeros(2))
    optimizer = SGD([parameter], lr=1.0)
    parameter.grad = torch.tensor([3.0, 4.0])
    clip_gradients(optimizer, 1.0)
    optimizer.step()
    assert torch.allclose(parameter, torch.tensor([-0.6, -0.8]), rtol=8 * EPS)
    parameter.grad = torch.tensor([0.1, 0.0])
    clip_gradients(optimizer, 1.0)
    optimizer.step()
    assert torch.allclose(parameter, torch.tensor([-0.7, -0.8]), rtol=8 * EPS)


def test_one_process_alone_exchanges_nothing() -> None:
    ranks = alone(torch.device("cpu"))
    values = torch.tensor([1.0, 2.0])
    ranks.average([values])
    assert values.tolist() == [1.0, 2.0]
    assert ranks.from_first(True, False) == (True, False)
    assert ranks.any(True) and not ranks.any(False)
    assert ranks.is_first
