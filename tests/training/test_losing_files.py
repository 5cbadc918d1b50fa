"""A disk that fills up and a store that goes away: a clear message, and what was saved."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from small_run import CONFIG, small_run

from mrirecon.training import last_checkpoint, load, read_records


def test_a_disk_that_fills_up_keeps_the_last_checkpoint(
    store: Path, tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]
) -> None:
    run = tmp_path / "run"
    small_run(store, run, replace(CONFIG, steps=4))
    with full_disk(20_000), pytest.raises(OSError, match=r"step_000008\S*model.safetensors"):
        small_run(store, run, resume=True)
    assert last_checkpoint(run / "checkpoints") == run / "checkpoints" / "step_000004"
    assert all(parameter.isfinite().all() for parameter in load(run).parameters())
    small_run(store, run, resume=True)
    assert read_records(run / "metrics.jsonl")[-1]["step"] == 10


def test_a_store_that_is_removed_is_read_on_and_missed_at_the_next_start(
    store: Path, tmp_path: Path
) -> None:
    """What is open stays readable on POSIX systems; a new start names what is not there."""
    own, run = tmp_path / "own.h5", tmp_path / "run"
    shutil.copy(store, own)

    def remove(step: int) -> float:
        own.unlink(missing_ok=True)
        return float(step)

    config = replace(CONFIG, best_by="s", validate_every=2)
    small_run(own, run, config, score=remove)
    assert read_records(run / "metrics.jsonl")[-1]["step"] == 10
    with pytest.raises(FileNotFoundError, match=r"own.h5: no such store; make one with"):
        small_run(own, run, replace(config, steps=12), resume=True)
    assert all(parameter.isfinite().all() for parameter in load(run).parameters())
