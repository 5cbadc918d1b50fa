"""Take a trained generator out of a run: to use it, or to go on training from it."""

from pathlib import Path
from typing import Literal

import torch

from mrirecon.models import Generator, ready_for_use
from mrirecon.training.checkpoint import best_checkpoint, last_checkpoint, load_generator
from mrirecon.training.config import Precision
from mrirecon.training.loop import CHECKPOINTS
from mrirecon.training.precision import network_dtype

CheckpointChoice = Literal["best", "last"]


def load(
    path: str | Path, *, device: torch.device | str = "cpu", precision: Precision = "float32"
) -> Generator:
    """Read the averaged generator of a run.

    Args:
        path: folder of a run, of which the checkpoint validated best is taken, or the last one
            where nothing was validated; or folder of one checkpoint.
        device: where it goes.
        precision: of its arithmetic: "bfloat16", and "auto" where the device multiplies it, halve
            the time; weights other than float32 are for use alone.

    Returns:
        The generator, in evaluation mode, without gradients. Called with zero-filled images and a
        mask it gives a `Reconstruction`.

    Raises:
        FileNotFoundError: no run and no checkpoint there.
        ValueError: a file is damaged or foreign; names which.

    Examples:
        >>> import torch
        >>> import mrirecon
        >>> generator = mrirecon.load("run")  # a folder of `train`
        >>> mask = torch.arange(32) % 2 == 0
        >>> generator(torch.rand(1, 1, 32, 32, dtype=torch.complex64), mask).output.shape
        torch.Size([1, 1, 32, 32])
    """
    device = torch.device(device)
    generator = load_generator(choose_checkpoint(Path(path)))
    return ready_for_use(generator, network_dtype(precision, device), device)


def start_from(generator: Generator, path: Path, *, strict: bool = False) -> str:
    """Copy trained weights into a generator wherever name and shape are equal.

    Args:
        generator: changed in place.
        path: as in `load`.
        strict: all names and shapes must be equal.

    Returns:
        A sentence that says how many tensors were copied, and which were not.

    Raises:
        FileNotFoundError, ValueError: as `load`.
        ValueError: no tensor is alike, or not all are where they must; nothing is changed.
    """
    trained, current = load(path).state_dict(), generator.state_dict()
    alike = [
        name
        for name, tensor in current.items()
        if name in trained and trained[name].shape == tensor.shape
    ]
    if not alike:
        raise ValueError(f"{path}: expected weights of a network like this one, got none alike")
    new = [name for name in current if name not in alike]
    unlike = new + [name for name in trained if name not in alike and name not in new]
    if strict and unlike:
        raise ValueError(f"{path}: expected every weight alike, got others: {', '.join(unlike)}")
    generator.load_state_dict({name: trained[name] for name in alike}, strict=False)
    told = f"{len(alike)} of {len(current)} tensors start from {path}"
    return f"{told}; new: {', '.join(new)}" if new else told


def choose_checkpoint(path: Path, choice: CheckpointChoice = "best") -> Path:
    """Return the checkpoint that a run is used by.

    Args:
        path: folder of a run, or of one checkpoint, which is then taken.
        choice: the one validated best, or the last one; a run without validation has the last
            alone.

    Raises:
        FileNotFoundError: no checkpoint there.
    """
    if (path / "state.json").is_file():
        return path
    folder = path / CHECKPOINTS
    best = best_checkpoint(folder) if choice == "best" else None
    found = best or last_checkpoint(folder)
    if found is None:
        raise FileNotFoundError(f"{path}: expected a run with a checkpoint, found none")
    return found
