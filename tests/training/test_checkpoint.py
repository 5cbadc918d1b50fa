"""Checkpoints: whole or absent, and refused by name where they do not fit."""

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_run import CONFIG, DISCRIMINATOR, GENERATOR, small_run

from mrirecon.losses import LossConfig
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.training import (
    TrainingConfig,
    TrainingState,
    last_checkpoint,
    load_checkpoint,
    load_generator,
    make_state,
    save_checkpoint,
)
from mrirecon.training.checkpoint import discard_after
from mrirecon.training.tensors import model_tensors, optimizer_tensors


def new_state(config: TrainingConfig = CONFIG) -> TrainingState:
    networks = Generator(GENERATOR), PatchDiscriminator(DISCRIMINATOR)
    return make_state(*networks, config, torch.device("cpu"))


@pytest.fixture(scope="module")
def trained(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("trained")
    small_run(store, run / "run", replace(CONFIG, steps=2))
    return run / "run" / "checkpoints" / "step_000002"


@pytest.fixture
def checkpoint(trained: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(trained, tmp_path / "step_000002"))


def test_checkpoint_comes_back_whole(checkpoint: Path, tmp_path: Path) -> None:
    config = replace(CONFIG, steps=2)
    state = new_state(config)
    load_checkpoint(checkpoint, state, config)
    again = save_checkpoint(tmp_path / "again", state, config)
    assert state.step == 2
    assert optimizer_tensors(state)
    for file in ("model.safetensors", "optimizer.safetensors"):
        first, second = load_file(checkpoint / file), load_file(again / file)
        assert first.keys() == second.keys()
        assert all(torch.equal(first[name], second[name]) for name in first)
    assert (again / "state.json").read_text() == (checkpoint / "state.json").read_text()


def test_a_checkpoint_older_than_an_option_goes_on_with_its_default(checkpoint: Path) -> None:
    described = json.loads((checkpoint / "state.json").read_text())
    del described["generator"]["network"]["kind"]
    del described["training"]["losses"]["adversarial_start"]
    (checkpoint / "state.json").write_text(json.dumps(described))
    load_checkpoint(checkpoint, new_state(), CONFIG)
    assert load_generator(checkpoint).config == GENERATOR
    later = replace(CONFIG, losses=replace(CONFIG.losses, adversarial_start=3))
    with pytest.raises(ValueError, match=r"losses.adversarial_start: expected 0 as in .*, got 3"):
        load_checkpoint(checkpoint, new_state(), later)


def test_a_loaded_state_keeps_the_memory_order(checkpoint: Path) -> None:
    """The fused Adam walks weights and moments side by side."""
    config = replace(CONFIG, channels_last=True)
    described = json.loads((checkpoint / "state.json").read_text())
    described["training"]["channels_last"] = True
    (checkpoint / "state.json").write_text(json.dumps(described))
    state = new_state(config)
    load_checkpoint(checkpoint, state, config)
    for parameter in state.generator.parameters():
        assert state.generator_optimizer.state[parameter]["exp_avg"].stride() == parameter.stride()


def test_loaded_generator_is_the_average(checkpoint: Path) -> None:
    generator = load_generator(checkpoint)
    saved = load_file(checkpoint / "model.safetensors")
    assert generator.config == GENERATOR
    assert not generator.training
    for name, parameter in generator.named_parameters():
        assert torch.equal(parameter, saved[f"average.{name}"])
        assert not parameter.requires_grad
    assert any(
        not torch.equal(saved[f"average.{name}"], saved[f"generator.{name}"])
        for name, _ in generator.named_parameters()
    )


def test_a_discriminator_that_has_not_started_is_saved_without_moments(tmp_path: Path) -> None:
    config = replace(CONFIG, losses=LossConfig(adversarial_start=100))
    state = new_state(config)
    for parameter in state.generator.parameters():
        parameter.grad = torch.ones_like(parameter)
    state.generator_optimizer.step()
    state.step = 3
    path = save_checkpoint(tmp_path, state, config)
    other = new_state(config)
    load_checkpoint(path, other, config)
    assert other.step == 3
    assert {name.split(".")[0] for name in optimizer_tensors(other)} == {"generator"}


def test_old_checkpoints_go_and_last_names_the_newest(tmp_path: Path) -> None:
    state = new_state()
    for step in (999_998, 999_999, 1_000_000):
        state.step = step
        path = save_checkpoint(tmp_path, state, replace(CONFIG, keep_checkpoints=2))
        assert last_checkpoint(tmp_path) == path
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last", "step_1000000", "step_999999"]


def test_discard_removes_later_and_half_written_checkpoints(tmp_path: Path) -> None:
    state = new_state()
    for state.step in (4, 8):
        save_checkpoint(tmp_path, state, CONFIG)
    (tmp_path / ".ab12.partial.step_000012").mkdir()
    (tmp_path / ".ab12.partial.last").touch()
    discard_after(tmp_path, 4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last", "step_000004"]


@pytest.mark.parametrize("size", [100, 20_000], ids=["header", "tensors"])
def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, size: int, full_disk: Callable[[int], AbstractContextManager[None]]
) -> None:
    state = new_state()
    assert sum(t.nbytes for t in model_tensors(state).values()) > 20_000
    with full_disk(size), pytest.raises(OSError, match=r"model.safetensors"):
        save_checkpoint(tmp_path, state, CONFIG)
    assert not list(tmp_path.iterdir())


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        save_checkpoint(tmp_path / "file" / "checkpoints", new_state(), CONFIG)


@pytest.mark.parametrize("file", ["model.safetensors", "optimizer.safetensors", "state.json"])
def test_a_missing_file_is_named(checkpoint: Path, file: str) -> None:
    (checkpoint / file).unlink()
    with pytest.raises(FileNotFoundError, match=f"{file}: expected"):
        load_checkpoint(checkpoint, new_state(), CONFIG)


@pytest.mark.parametrize("file", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_file_is_named(checkpoint: Path, file: str, share: float) -> None:
    content = (checkpoint / file).read_bytes()
    (checkpoint / file).write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=f"{file}: expected"):
        load_checkpoint(checkpoint, new_state(), CONFIG)


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    with pytest.raises(FileNotFoundError, match=r"nowhere/state.json: expected"):
        load_generator(tmp_path / "nowhere")
    (tmp_path / "last").write_text("step_000007\n")
    with pytest.raises(FileNotFoundError, match="last: expected the name of a checkpoint, got"):
        last_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", "other", "state.json: expected format 'mrirecon-checkpoint', got another file"),
        ("format_version", 2, "state.json: expected format_version 1, got 2"),
        ("generator", {"network": {"depth": 3}}, "state.json: generator: .*depth"),
    ],
)
def test_a_foreign_checkpoint_is_refused(
    checkpoint: Path, key: str, value: object, message: str
) -> None:
    described = json.loads((checkpoint / "state.json").read_text())
    (checkpoint / "state.json").write_text(json.dumps({**described, key: value}))
    with pytest.raises(ValueError, match=message):
        load_generator(checkpoint)


@pytest.mark.parametrize("file", ["model.safetensors", "optimizer.safetensors"])
@pytest.mark.parametrize("change", ["missing", "reshaped", "added"])
def test_tensors_that_do_not_fit_are_named(checkpoint: Path, file: str, change: str) -> None:
    tensors = load_file(checkpoint / file)
    name = next(name for name in tensors if "decoder.0.weight" in name)
    if change == "missing":
        del tensors[name]
    elif change == "reshaped":
        tensors[name] = tensors[name].flatten()
    else:
        tensors[name := "intruder"] = torch.zeros(1)
    save_file(tensors, checkpoint / file)
    with pytest.raises(ValueError, match=rf"{file}: .*{name}"):
        load_checkpoint(checkpoint, new_state(), CONFIG)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"batch_size": 3}, "^training.batch_size: expected 2 as in .*state.json, got 3$"),
        ({"losses": LossConfig(l1=3.0, adversarial=0.1)}, "^training.losses.l1: expected 1.0 as"),
    ],
)
def test_a_run_with_other_options_is_not_resumed(
    checkpoint: Path, changed: dict[str, object], message: str
) -> None:
    config = replace(CONFIG, **changed)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        load_checkpoint(checkpoint, new_state(config), config)


def test_a_run_may_be_made_longer(checkpoint: Path) -> None:
    config = replace(CONFIG, steps=1000, checkpoint_every=7)
    state = new_state(config)
    load_checkpoint(checkpoint, state, config)
    assert state.step == 2
