"""The trainer: reproducible, resumable, and clear about what stops it."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small_run as small_run_script
import torch
from safetensors.torch import load_file
from small_run import CONFIG, small_run

from mrirecon.data import Measurement, SimulationConfig, simulate_parts
from mrirecon.data.dataset import slice_order
from mrirecon.training import (
    batch,
    best_checkpoint,
    last_checkpoint,
    load_generator,
    read_records,
)

FILES = ("model.safetensors", "optimizer.safetensors")


def assert_same_run(got: Path, expected: Path) -> None:
    for name in ("metrics.jsonl", "metrics.csv"):
        assert (got / name).read_text() == (expected / name).read_text()
    checkpoints = [last_checkpoint(run / "checkpoints") for run in (got, expected)]
    assert checkpoints[0] is not None and checkpoints[1] is not None
    assert checkpoints[0].name == checkpoints[1].name
    for file in FILES:
        tensors, others = (load_file(path / file) for path in checkpoints if path)
        assert tensors.keys() == others.keys()
        unequal = [name for name in tensors if not torch.equal(tensors[name], others[name])]
        assert not unequal


@pytest.fixture(scope="module")
def uninterrupted(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("uninterrupted") / "run"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    small_run(store, run)
    torch.set_num_threads(threads)
    return run


def test_run_folder_holds_log_versions_and_checkpoints(uninterrupted: Path) -> None:
    records = read_records(uninterrupted / "metrics.jsonl")
    assert [r["step"] for r in records if "loss" in r] == list(range(1, 11))
    validations = {r["step"]: r["validation.double_step"] for r in records if "loss" not in r}
    assert validations == {4: 8, 8: 16, 10: 20}
    names = {path.name for path in (uninterrupted / "checkpoints").iterdir()}
    assert names == {"best", "last", "step_000008", "step_000010"}
    assert '"torch"' in (uninterrupted / "versions.json").read_text()
    speeds = read_records(uninterrupted / "speed.jsonl")
    assert all(record["images_per_second"] > 0 for record in speeds)


def test_equal_seeds_give_equal_runs(store: Path, uninterrupted: Path, tmp_path: Path) -> None:
    small_run(store, tmp_path / "run")
    assert_same_run(tmp_path / "run", uninterrupted)


def test_another_seed_gives_another_run(store: Path, uninterrupted: Path, tmp_path: Path) -> None:
    small_run(store, tmp_path / "run", replace(CONFIG, seed=8, steps=1))
    first = read_records(tmp_path / "run" / "metrics.jsonl")[0]
    assert first["l1"] != read_records(uninterrupted / "metrics.jsonl")[0]["l1"]


def test_trained_average_is_returned_and_saved(store: Path, tmp_path: Path) -> None:
    average = small_run(store, tmp_path / "run", replace(CONFIG, steps=1))
    saved = load_generator(tmp_path / "run" / "checkpoints" / "step_000001")
    for got, expected in zip(average.parameters(), saved.parameters(), strict=True):
        assert torch.equal(got, expected)


@pytest.mark.parametrize("stopped_after", [1, 5, 9])
def test_resumed_run_equals_an_uninterrupted_one(
    store: Path, uninterrupted: Path, tmp_path: Path, stopped_after: int
) -> None:
    """A run of 3 steps an epoch goes on at the start, in the middle and at the end of an epoch."""
    run, config = tmp_path / "run", replace(CONFIG, validate_every=1, checkpoint_every=2)

    def stop(seconds: float) -> None:
        records = read_records(run / "metrics.jsonl")
        if records[-1]["step"] == stopped_after:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_run_script.time, "sleep", stop)
        with pytest.raises(KeyboardInterrupt):
            small_run(store, run, config)
    small_run(store, run, resume=True)
    assert read_records(run / "metrics.jsonl")[-1]["step"] == 10
    losses = [
        [r for r in read_records(p / "metrics.jsonl") if "loss" in r] for p in (run, uninterrupted)
    ]
    assert losses[0] == losses[1]


def test_killed_run_resumes_to_equal_weights_and_log(
    store: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    script = [sys.executable, small_run_script.__file__, str(store), str(run), "--pause", "60"]
    process = subprocess.Popen(script, env={"PYTHONPATH": ":".join(sys.path)})
    try:
        # The first validation, after step 4, waits; by then nothing but the log is on disk.
        deadline = time.monotonic() + 100
        while not _has_logged(run, step=4):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(read_records(run / "metrics.jsonl")) == 4
    small_run(store, run, resume=True)
    assert_same_run(run, uninterrupted)


def _has_logged(run: Path, step: int) -> bool:
    path = run / "metrics.jsonl"
    return path.exists() and any(r["step"] == step for r in read_records(path))


def test_run_stopped_between_a_checkpoint_and_its_name_resumes(
    store: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    small_run(store, run)
    (run / "checkpoints" / "last").write_text("step_000008\n")
    small_run(store, run, resume=True)
    assert_same_run(run, uninterrupted)


def test_every_epoch_has_masks_and_noise_of_its_own(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated: list[tuple[int, int, float]] = []

    def record(
        *args: Any, seed: int, epoch: int, simulation: SimulationConfig
    ) -> list[Measurement]:
        simulated.append((seed, epoch, simulation.noise_std))
        return simulate_parts(*args, seed=seed, epoch=epoch, simulation=simulation)

    monkeypatch.setattr(batch, "simulate_parts", record)
    small_run(store, tmp_path / "run", replace(CONFIG, steps=7))
    assert simulated == [(7, epoch, 0.01) for epoch in (0, 0, 0, 1, 1, 1, 2)]


def test_loss_that_is_not_finite_names_step_and_term(store: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, learning_rate=1e30)
    with pytest.raises(
        ValueError, match=r"^\w+: expected a finite number at step 3, got nan; the batch is in"
    ):
        small_run(store, tmp_path / "run", config)
    assert [r["step"] for r in read_records(tmp_path / "run" / "metrics.jsonl")] == [1, 2]


def test_the_batch_of_a_loss_that_is_not_finite_is_kept(store: Path, tmp_path: Path) -> None:
    """It is the one that the step saw: step 3 of 3 in the first epoch holds what 1 and 2 left."""
    run = tmp_path / "run"
    with pytest.raises(ValueError, match="diverged_step_000003"):
        small_run(store, run, replace(CONFIG, learning_rate=1e30))
    kept = load_file(run / "diverged_step_000003.safetensors")
    order = slice_order(7, seed=CONFIG.seed, epoch=0)
    assert kept["slices"].tolist() == order[4:6].tolist()
    assert kept["target"].shape == (2, 1, 24, 20)
    assert kept["zero_filled"].shape == (2, 1, 24, 20, 2)


def test_a_stopped_run_saves_its_step_and_goes_on(
    store: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    """SIGTERM comes in the validation of step 4, as from a cluster whose time is up."""
    run = tmp_path / "run"
    script = [sys.executable, small_run_script.__file__, str(store), str(run), "--pause", "2"]
    process = subprocess.Popen(
        script, env={"PYTHONPATH": ":".join(sys.path)}, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 100
    while not _has_logged(run, step=4):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert "stopped by SIGTERM after step 4, which is saved" in process.communicate()[1]
    checkpoint = last_checkpoint(run / "checkpoints")
    assert checkpoint is not None and checkpoint.name == "step_000004"
    small_run(store, run, resume=True)
    assert_same_run(run, uninterrupted)


def test_the_best_checkpoint_outlives_newer_ones(store: Path, tmp_path: Path) -> None:
    """Scores 0, 9, 0, 0, 0 after steps 2, 4, 6, 8, 10: the second is the best."""
    run = tmp_path / "run"
    config = replace(CONFIG, validate_every=2, checkpoint_every=2, keep_checkpoints=1, best_by="s")
    small_run(store, run, config, score=lambda step: 9.0 * (step == 4))
    checkpoints = run / "checkpoints"
    assert best_checkpoint(checkpoints) == checkpoints / "step_000004"
    assert {p.name for p in checkpoints.iterdir()} == {"best", "last", "step_000004", "step_000010"}


def test_a_run_out_of_patience_ends_and_stays_ended(store: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    config = replace(CONFIG, validate_every=1, best_by="s", patience=2)
    small_run(store, run, config, score=lambda step: -abs(step - 3.0))
    checkpoint = last_checkpoint(run / "checkpoints")
    assert checkpoint is not None and checkpoint.name == "step_000005"
    before = (run / "metrics.jsonl").read_bytes()
    small_run(store, run, config, score=lambda step: 99.0, resume=True)
    assert (run / "metrics.jsonl").read_bytes() == before
    small_run(store, run, replace(config, patience=9, steps=6), score=lambda step: 0, resume=True)
    assert read_records(run / "metrics.jsonl")[-1]["step"] == 6


def test_a_score_that_the_validation_lacks_is_named(store: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"^best_by: expected a score of the validation \(weight, "
    ):
        small_run(store, tmp_path / "run", replace(CONFIG, best_by="psnr"))


def test_every_epoch_says_where_its_time_went(uninterrupted: Path) -> None:
    """Ten steps of three an epoch: the last one is cut short."""
    epochs = [r for r in read_records(uninterrupted / "speed.jsonl") if "epoch" in r]
    assert [(r["epoch"], r["step"]) for r in epochs] == [(0, 3), (1, 6), (2, 9), (3, 10)]
    for record in epochs:
        shares = record["shares"]
        assert {"data", "copy", "sampling", "forward", "backward", "optimizer"} <= shares.keys()
        assert 0.5 < sum(shares.values()) <= 1
        assert record["peak_memory_bytes"] > 2**20
    assert "validation" in epochs[1]["shares"] and "validation" not in epochs[0]["shares"]


def test_divergence_keeps_the_last_checkpoint(store: Path, tmp_path: Path) -> None:
    """A loss may still be finite when its gradient no longer is."""
    config = replace(CONFIG, learning_rate=1e30, checkpoint_every=1, on_divergence="stop")
    with pytest.raises(ValueError, match=r"^generator\.\S+: expected finite weights after step 2"):
        small_run(store, tmp_path / "run", config)
    checkpoints = tmp_path / "run" / "checkpoints"
    assert last_checkpoint(checkpoints) == checkpoints / "step_000001"
    assert sorted(p.name for p in checkpoints.iterdir()) == ["last", "step_000001"]


def test_a_used_run_folder_is_not_overwritten(store: Path, tmp_path: Path) -> None:
    small_run(store, tmp_path / "run", replace(CONFIG, steps=1))
    with pytest.raises(ValueError, match="run: expected a new run folder, got one in use"):
        small_run(store, tmp_path / "run")


def test_a_run_without_a_checkpoint_resumes_from_its_start(
    store: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    small_run(store, tmp_path / "run", resume=True)
    assert_same_run(tmp_path / "run", uninterrupted)


def test_too_few_slices_for_a_batch_are_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^dataset: expected a batch of 8 slices or more, got 7$"):
        small_run(store, tmp_path / "run", replace(CONFIG, batch_size=8))
    assert not (tmp_path / "run").exists()


def test_a_run_folder_that_cannot_be_made_is_named(store: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        small_run(store, tmp_path / "file" / "run")
