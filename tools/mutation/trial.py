"""Run pytest in forks of one process that has imported torch, which took half of a fault's time."""

import multiprocessing
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pytest", "torch", "mrirecon.classical"])


def run_tests(arguments: Sequence[str], folder: Path, log: Path, seconds: float) -> tuple[int, str]:
    """Run pytest in `folder` and wait for it.

    Args:
        arguments: of pytest.
        folder: where to run it, and what goes first on its path.
        log: file that takes what it prints.
        seconds: after which it is killed.

    Returns:
        Its exit status, negative for the signal that ended it; and the last line that it printed,
        or how it ended.
    """
    trial = _FORKS.Process(target=_run, args=(list(arguments), folder, log))
    trial.start()
    trial.join(seconds)
    is_late = trial.is_alive()
    if is_late:
        trial.kill()
        trial.join()
    assert trial.exitcode is not None
    if is_late:
        return trial.exitcode, "failed: out of time"
    if trial.exitcode < 0:
        return trial.exitcode, f"failed: signal {-trial.exitcode}"
    lines = log.read_text(errors="replace").strip().splitlines()
    return trial.exitcode, lines[-1] if lines else "no output"


def _run(arguments: list[str], folder: Path, log: Path) -> None:
    os.chdir(folder)
    with log.open("wb") as taken:
        os.dup2(taken.fileno(), 1)
        os.dup2(taken.fileno(), 2)
    os._exit(pytest.main(arguments))  # no shutdown, which a broken kernel may have spoiled
