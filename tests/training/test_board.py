"""What TensorBoard is told, read back as TensorBoard reads it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small_run as small_run_script
import torch
from small_run import CONFIG, small_run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mrirecon.training import read_records
from mrirecon.training.board import Board

WITH_BOARD = replace(CONFIG, tensorboard=True)


def told(run: Path) -> EventAccumulator:
    """Read the events of a run, all of them."""
    events = EventAccumulator(
        str(run / "tensorboard"), size_guidance={"scalars": 0, "images": 0, "tensors": 0}
    )
    return events.Reload()


def scalars(run: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in told(run).Scalars(tag)]


def test_the_board_is_told_what_the_log_holds(store: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    small_run(store, run, WITH_BOARD)
    records = read_records(run / "metrics.jsonl")
    for tag, key in (("training/l1", "l1"), ("validation/double_step", "validation.double_step")):
        expected = [(r["step"], r[key]) for r in records if key in r]
        assert expected
        single = [(step, torch.tensor(value).item()) for step, value in expected]  # as it stores
        assert scalars(run, tag) == single
    assert "speed/images_per_second" in told(run).Tags()["scalars"]
    assert "training/epoch" not in told(run).Tags()["scalars"]


def test_a_resumed_run_tells_each_step_once(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops in the validation of step 7, with its last checkpoint of step 6."""
    run, config = tmp_path / "run", replace(WITH_BOARD, validate_every=1, checkpoint_every=3)

    def stop(_seconds: float) -> None:
        if read_records(run / "metrics.jsonl")[-1]["step"] == 7:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(small_run_script.time, "sleep", stop)
        patch.setattr("mrirecon.training.best.BestScore._compare", lambda *_: False)  # no "best"
        with pytest.raises(KeyboardInterrupt):
            small_run(store, run, config)
    assert [step for step, _ in scalars(run, "training/l1")] == list(range(1, 8))
    small_run(store, run, config, resume=True)
    assert [step for step, _ in scalars(run, "training/l1")] == list(range(1, 11))
    steps = [step for step, _ in scalars(run, "validation/double_step")]
    assert steps == list(range(1, 11))


def test_pictures_come_back_as_they_were(tmp_path: Path) -> None:
    board = Board(tmp_path, 0)
    board.images(3, {"head, slice 2": torch.tensor([[0.0, 1.0], [0.5, 0.0]])})
    board.close()
    (event,) = told(tmp_path).Images("head, slice 2")
    assert (event.step, event.width, event.height) == (3, 2, 2)


def test_a_run_without_a_board_writes_none(store: Path, tmp_path: Path) -> None:
    small_run(store, tmp_path / "run", replace(CONFIG, steps=1))
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_a_missing_package_is_named_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr("mrirecon.training.board.import_module", refuse)
    message = 'tensorboard: expected the package tensorboard, got none; pip install "mrirecon-torch'
    with pytest.raises(ImportError, match=re.escape(message)):
        Board(tmp_path, 0)
