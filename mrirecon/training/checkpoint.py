"""Write and read checkpoints: tensors as safetensors, the rest as JSON, nothing as pickle.

A checkpoint is a folder `step_XXXXXX` of three files:

    model.safetensors      generator.*, average.* and discriminator.*
    optimizer.safetensors  generator.PARAMETER.STATE and discriminator.PARAMETER.STATE
    state.json             format, step, and the configurations

Beside it the text files `last` and `best` name the newest one and the one validated best.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mrirecon.files import atomic_path
from mrirecon.models import Generator, GeneratorConfig
from mrirecon.training.config import TrainingConfig
from mrirecon.training.same_run import check_same_run
from mrirecon.training.state import TrainingState
from mrirecon.training.tensors import (
    check_tensors,
    model_tensors,
    optimizer_tensors,
    read_tensors,
    set_model_tensors,
    set_optimizer_tensors,
    write_tensors,
)

FORMAT = "mrirecon-checkpoint"
FORMAT_VERSION = 1
_MODEL = "model.safetensors"
_OPTIMIZER = "optimizer.safetensors"
_STATE = "state.json"
_LAST = "last"
_BEST = "best"


def save_checkpoint(folder: Path, state: TrainingState, config: TrainingConfig) -> Path:
    """Write a checkpoint in one piece, name it in `last`, and remove old ones.

    Args:
        folder: of all checkpoints.
        state: what to save.
        config: of the run; says how many checkpoints stay.

    Returns:
        The checkpoint's folder.

    Raises:
        OSError: the folder cannot be written to or the disk is full; nothing half-written stays.
    """
    path = folder / f"step_{state.step:06d}"
    with atomic_path(path) as partial:
        partial.mkdir()
        write_tensors(partial / _MODEL, model_tensors(state))
        write_tensors(partial / _OPTIMIZER, optimizer_tensors(state))
        (partial / _STATE).write_text(json.dumps(_describe(state, config), indent=2) + "\n")
    with atomic_path(folder / _LAST) as partial:
        partial.write_text(path.name + "\n")
    best = _named(folder, _BEST)
    for old in _checkpoints(folder)[: -config.keep_checkpoints]:
        if old != best:
            shutil.rmtree(old)
    return path


def mark_best(folder: Path, path: Path) -> None:
    """Name a checkpoint as the best, so that it stays and the one before it no longer must.

    Args:
        folder: of all checkpoints.
        path: one of them.
    """
    with atomic_path(folder / _BEST) as partial:
        partial.write_text(path.name + "\n")


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint, or None where there is none.

    Args:
        folder: of all checkpoints, `checkpoints` in the run folder.

    Raises:
        FileNotFoundError: `last` names a checkpoint that is not there.
    """
    return _named(folder, _LAST)


def best_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint that was validated best, or None in a run without validation.

    Args:
        folder: of all checkpoints, `checkpoints` in the run folder.

    Raises:
        FileNotFoundError: `best` names a checkpoint that is not there.
    """
    return _named(folder, _BEST)


def discard_after(folder: Path, step: int) -> None:
    """Remove checkpoints newer than `step` and half-written ones, which a killed run leaves."""
    for path in _checkpoints(folder):
        if _step_of(path) > step:
            shutil.rmtree(path)
    for partial in folder.glob(".*.partial.*"):
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink()


def load_checkpoint(path: Path, state: TrainingState, config: TrainingConfig) -> None:
    """Put a checkpoint into `state`, so that training goes on as if it had not stopped.

    Args:
        path: folder of the checkpoint.
        state: of a run with the same configurations; changed in place.
        config: of the run; may differ in `MAY_CHANGE_ON_RESUME` only.

    Raises:
        FileNotFoundError: no checkpoint there, or one of its files is missing.
        ValueError: a file is damaged or foreign, or a configuration differs; names which.
    """
    described = _read_description(path / _STATE)
    check_same_run(path / _STATE, described, _describe(state, config))
    set_model_tensors(state, read_tensors(path / _MODEL), path / _MODEL)
    set_optimizer_tensors(
        state,
        read_tensors(path / _OPTIMIZER),
        path / _OPTIMIZER,
    )
    state.step = int(described["step"])
    state.n_rollbacks = int(described.get("n_rollbacks", 0))
    if described.get("scaler") and state.scaler.is_enabled():
        state.scaler.load_state_dict(described["scaler"])


def load_generator(path: Path) -> Generator:
    """Read the averaged generator of a checkpoint.

    Args:
        path: folder of the checkpoint.

    Returns:
        The generator, on the CPU, in evaluation mode, without gradients.

    Raises:
        FileNotFoundError: no checkpoint there, or one of its files is missing.
        ValueError: a file is damaged or foreign; names which.
    """
    described = _read_description(path / _STATE)
    try:
        generator = Generator(GeneratorConfig.from_dict(described["generator"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path / _STATE}: generator: {error}") from error
    saved = {
        name.removeprefix("average."): tensor
        for name, tensor in read_tensors(path / _MODEL).items()
        if name.startswith("average.")
    }
    check_tensors(path / _MODEL, saved, generator.state_dict())
    generator.load_state_dict(saved)
    return generator.eval().requires_grad_(False)


def _describe(state: TrainingState, config: TrainingConfig) -> dict[str, Any]:
    discriminator = state.discriminator
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "step": state.step,
        "simulated": state.is_simulated,
        "n_rollbacks": state.n_rollbacks,
        "scaler": state.scaler.state_dict(),
        "generator": state.generator.config.to_dict(),
        "discriminator": None if discriminator is None else asdict(discriminator.config),
        "training": config.to_dict(),
    }


def _read_description(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a checkpoint's description, found none")
    try:
        described = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, got: {error}") from error
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise ValueError(f"{path}: expected format {FORMAT!r}, got another file")
    if described.get("format_version") != FORMAT_VERSION:
        got = described.get("format_version")
        raise ValueError(f"{path}: expected format_version {FORMAT_VERSION}, got {got}")
    for key in ("step", "generator", "discriminator", "training"):
        if key not in described:
            raise ValueError(f"{path}: expected a key {key!r}, got none")
    return described


def _named(folder: Path, name: str) -> Path | None:
    """Return the checkpoint that a text file names, or None where there is no such file."""
    if not (folder / name).exists():
        return None
    path = folder / (folder / name).read_text().strip()
    if not path.is_dir():
        found = repr(path.name)
        raise FileNotFoundError(f"{folder / name}: expected the name of a checkpoint, got {found}")
    return path


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("step_*"), key=_step_of)


def _step_of(path: Path) -> int:
    return int(path.name.removeprefix("step_"))
