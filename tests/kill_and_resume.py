"""Kill a training at random moments, resume it each time, and compare it with one left alone.

  python tests/kill_and_resume.py --kills 10

Every start reads a random number of batches ahead. Exit status 1 where a byte differs.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import small_run as small_run_script
from small_run import make_store

from mrirecon.training import last_checkpoint

FILES = ("metrics.jsonl", "metrics.csv")


def start(store: Path, run: Path, steps: int, *, ahead: int) -> subprocess.Popen[bytes]:
    """Start or resume a run whose every validation, after four steps, takes 0.1 s at least."""
    options = ("--resume", "--pause", 0.1, "--steps", steps, "--ahead", ahead)
    command = [sys.executable, small_run_script.__file__, store, run, *options]
    paths = {"PYTHONPATH": ":".join(sys.path)}
    return subprocess.Popen([str(part) for part in command], env=paths, stderr=subprocess.DEVNULL)


def wait_for_work(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a process writes to its log, or ends."""
    before = log.stat().st_mtime_ns if log.exists() else 0
    while process.poll() is None and (not log.exists() or log.stat().st_mtime_ns == before):
        time.sleep(0.01)


def contents(run: Path) -> dict[str, bytes]:
    checkpoint = last_checkpoint(run / "checkpoints")
    assert checkpoint is not None
    paths = [run / name for name in FILES] + sorted(checkpoint.iterdir())
    return {path.name: path.read_bytes() for path in paths}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, whole, cut = make_store(folder), folder / "whole", folder / "cut"
        process = start(store, whole, options.steps, ahead=2)
        wait_for_work(process, whole / FILES[0])
        began = time.monotonic()
        assert process.wait() == 0
        duration = time.monotonic() - began
        kills: list[str] = []
        while True:
            process = start(store, cut, options.steps, ahead=rng.randint(0, 5))
            if len(kills) < options.kills:
                wait_for_work(process, cut / FILES[0])
                time.sleep(rng.uniform(0, 1.5) * duration / options.kills)
                process.send_signal(signal.SIGKILL)
            if process.wait() != -signal.SIGKILL:
                break
            saved = last_checkpoint(cut / "checkpoints")
            kills.append("before the first checkpoint" if saved is None else f"after {saved.name}")
        assert process.returncode == 0
        expected, found = contents(whole), contents(cut)
    unequal = [name for name in expected if found.get(name) != expected[name]]
    size = sum(map(len, expected.values()))
    sys.stdout.write(
        f"killed {len(kills)} times: {', '.join(kills)}\n"
        f"{len(expected)} files of {size} bytes; unequal: {unequal}\n"
    )
    return int(bool(unequal) or len(kills) < options.kills)


if __name__ == "__main__":
    sys.exit(main())
