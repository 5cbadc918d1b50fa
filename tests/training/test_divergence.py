"""A run that diverges goes back once and says so, or stops; what it saved stays."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_run import CONFIG, small_run
from torch import Tensor

from mrirecon.training import (
    DivergedError,
    TrainingState,
    last_checkpoint,
    load,
    loop,
    read_records,
)
from mrirecon.training.divergence import ExplosionWatch


@contextmanager
def injected(value: float, *, at_step: int, times: int) -> Iterator[list[int]]:
    """Multiply the loss of a step, as often as it is taken, up to a number of times."""
    taken: list[int] = []
    take = loop.training_step

    def spoilt(state: TrainingState, *arguments: Any) -> dict[str, Tensor]:
        terms = take(state, *arguments)
        if state.step == at_step - 1 and len(taken) < times:
            taken.append(state.step)
            terms["loss"] = terms["loss"] * value
            with torch.no_grad():
                next(state.generator.parameters()).mul_(value)
        return terms

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "training_step", spoilt)
        yield taken


DIVERGING = replace(CONFIG, steps=20, checkpoint_every=4, validate_every=20, log_every=2)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e6])
def test_a_run_goes_back_once_and_says_so(store: Path, tmp_path: Path, value: float) -> None:
    run = tmp_path / "run"
    with injected(value, at_step=15, times=1):
        small_run(store, run, DIVERGING)
    records = read_records(run / "metrics.jsonl")
    (warning,) = [record["warning"] for record in records if "rolled back" in str(record)]
    assert "at step 15" in warning
    assert warning.endswith("rolled back to step 12, to go on with half the learning rates")
    rates = {r["step"]: r["learning_rate"] for r in records if "loss" in r}
    assert list(rates) == list(range(1, 21))
    tenth = 0.1 * CONFIG.learning_rate  # halfway it falls to a tenth
    assert rates[12] == pytest.approx(tenth)
    assert rates[13] == pytest.approx(tenth / 2)
    kept = load_file(run / "diverged_step_000015.safetensors")
    assert kept["slices"].shape == (2,)
    checkpoint = last_checkpoint(run / "checkpoints")
    assert checkpoint is not None and checkpoint.name == "step_000020"
    assert all(p.isfinite().all() for p in load(run).parameters())


def test_a_second_divergence_stops_the_run_and_the_last_checkpoint_loads(
    store: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with (
        injected(math.nan, at_step=15, times=2) as taken,
        pytest.raises(DivergedError, match=r"^loss: expected a finite number at step 15, got nan"),
    ):
        small_run(store, run, DIVERGING)
    assert taken == [14, 14]
    assert all(p.isfinite().all() for p in load(run).parameters())
    small_run(store, run, DIVERGING, resume=True)
    assert read_records(run / "metrics.jsonl")[-1]["step"] == 20


def test_a_run_that_is_to_stop_does_not_go_back(store: Path, tmp_path: Path) -> None:
    with (
        injected(math.nan, at_step=15, times=2) as taken,
        pytest.raises(DivergedError, match=r"the batch is in .*diverged_step_000015"),
    ):
        small_run(store, tmp_path / "run", replace(DIVERGING, on_divergence="stop"))
    assert taken == [14]


def test_a_run_that_was_killed_after_going_back_resumes_to_the_same_numbers(
    store: Path, tmp_path: Path
) -> None:
    """The half rates are part of the checkpoint."""
    runs = {name: tmp_path / name for name in ("whole", "cut")}
    with injected(math.nan, at_step=7, times=1):
        small_run(store, runs["whole"], DIVERGING)

    class KilledError(Exception):
        pass

    def kill(*_: object) -> None:
        raise KilledError

    with injected(math.nan, at_step=7, times=1), pytest.MonkeyPatch.context() as patch:
        step = loop.Loop.step
        patch.setattr(
            loop.Loop,
            "step",
            lambda self, epoch, batch: (
                kill() if self._state.step == 9 and self._state.n_rollbacks else None,
                step(self, epoch, batch),
            ),
        )
        with pytest.raises(KilledError):
            small_run(store, runs["cut"], DIVERGING)
    small_run(store, runs["cut"], DIVERGING, resume=True)
    logs = [(run / "metrics.jsonl").read_text() for run in runs.values()]
    assert logs[0].replace("/whole/", "/cut/") == logs[1]


def test_a_loss_far_above_the_median_has_exploded() -> None:
    watch = ExplosionWatch(100.0, [{"step": n, "loss": 0.5} for n in range(9)])
    assert watch.problem({"step": 10, "loss": 60.0}) is None  # too few to judge by
    assert watch.problem({"step": 11, "loss": 49.9}) is None
    problem = watch.problem({"step": 12, "loss": -50.1})
    assert problem is not None
    assert problem.startswith(
        "loss: expected at most 100 times 0.5, the median of the steps before"
    )
    assert "at step 12, got 50.1" in problem
    free = ExplosionWatch(None, [{"step": n, "loss": 0.5} for n in range(20)])
    assert free.problem({"step": 21, "loss": 1e30}) is None
