"""The examples of training as a person would call them, for a few steps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from small_run import make_store

from mrirecon.training import last_checkpoint, read_records

EXAMPLES = Path(__file__).parents[2] / "examples"
TINY = ("generator.network.width=4", "generator.network.n_blocks=1", "training.steps=2")


def call(*arguments: object, processes: int | None = None) -> str:
    """Run a command in an environment whose torchrun and python are those of the tests."""
    found = {
        "PYTHONPATH": ":".join(sys.path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    if processes is not None:
        found["PROCESSES"] = str(processes)
    result = subprocess.run(
        [str(argument) for argument in arguments],
        env=found,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("store"))


def test_the_fast_script_is_short_and_trains_on_two_processes(store: Path, tmp_path: Path) -> None:
    script, out = EXAMPLES / "train_fast.py", tmp_path / "generator.safetensors"
    assert len(script.read_text().splitlines()) < 80
    start = ("torchrun", "--standalone", "--nproc-per-node=2")
    told = call(*start, script, store, "--steps", 3, "--batch", 1, "--out", out)
    assert told.count("step 3: loss 0.") == 1  # by the first process alone
    assert "images/s" in told
    assert load_file(out).keys() >= {"network.log_weights.0"}


def test_the_launch_script_trains_on_two_processes(store: Path, tmp_path: Path) -> None:
    settings = [part for setting in TINY for part in ("--set", setting)]
    run = tmp_path / "run"
    launch = ("bash", EXAMPLES / "launch_gpus.sh", run, "--store", store, "--device", "cpu")
    call(*launch, *settings, "--set", "training.batch_size=1", processes=2)
    assert read_records(run / "metrics.jsonl")[-1]["step"] == 2
    assert (run / "ranks" / "1" / "metrics.jsonl").exists()
    assert last_checkpoint(run / "checkpoints") is not None


def test_the_tutorial_writes_its_pictures(tmp_path: Path) -> None:
    told = call(sys.executable, EXAMPLES / "tutorial.py", "--out", tmp_path, "--steps", 2)
    assert "reconstructed: PSNR " in told
    pictures = sorted(path.name for path in tmp_path.glob("*.png"))
    assert pictures == ["1_masks.png", "2_losses.png", "3_result.png"]
