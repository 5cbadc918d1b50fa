"""`python -m gpu_check`: run what only a GPU can show, and write benchmarks/results/<device>.

The tests marked requires_cuda are the bodies that the emulator runs elsewhere. None may be skipped.
Then come the suites of `mrirecon bench` on the GPU. All of it takes less than ten minutes; what
there is no time for is named in the results.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from mrirecon import native
from mrirecon.bench import SUITES
from mrirecon.files import atomic_path

_ROOT = Path(__file__).parents[2]
_SUITES = ("masking", "consistency", "coils", "ssim", "instance_norm", "nufft")
_SECONDS = 560  # for everything, so that ten minutes are not exceeded by the last step
_SANITIZER_SECONDS = 60  # for each tool of compute-sanitizer
_TIMING_SECONDS = 220  # that tests and sanitizers leave to the suites
_LAST_CASE_SECONDS = 30  # that a suite may take longer than its share, by a case begun before
_WAY_SECONDS = 0.2  # that each way is timed

Limit = Callable[[float], float]
Command = tuple[str, list[str], Limit]


def main() -> int:
    """Return 0 if all passed, 1 if something failed, 2 if there is nothing to check it on."""
    reason = _missing()
    if reason:
        print(f"gpu-check: {reason}")
        return 2
    end = time.monotonic() + _SECONDS
    checks = _verdicts(_checks(), end)
    if _failed(checks):
        print(f"gpu-check: {_failed(checks)}; nothing was timed")
        return 1
    device = torch.cuda.get_device_name()
    folder = _ROOT / "benchmarks" / "results" / stem_of(device)
    verdicts = checks | _verdicts(_timings(folder, end), end)
    with atomic_path(folder / "checks.json") as path:
        path.write_text(json.dumps({"device": device, "verdicts": verdicts}, indent=1) + "\n")
    print(f"gpu-check: {_failed(verdicts) or 'passed'}; results are in {folder}")
    return 1 if _failed(verdicts) else 0


def stem_of(device: str) -> str:
    """Return a device's name as that of a folder: "nvidia_h200"."""
    return "".join(letter if letter.isalnum() else "_" for letter in device.lower())


def _missing() -> str:
    """Return why nothing can be checked here, or nothing."""
    if not torch.cuda.is_available():
        return f"no GPU that torch {torch.__version__} can use: run it on a machine that has one"
    if not native.cuda_architectures():
        return (
            "the library has no CUDA kernels: put nvcc on PATH and build again with "
            "MRIRECON_CUDA=ON pip install --no-build-isolation ."
        )
    return ""


def _checks() -> Iterator[Command]:
    """Yield name, command and the seconds it may take of those that are left."""
    tests = [sys.executable, "-m", "pytest", "-m", "requires_cuda"]
    yield "tests", tests, lambda left: left - _TIMING_SECONDS
    sanitizer = shutil.which("compute-sanitizer")
    for tool in ("memcheck", "racecheck", "initcheck") if sanitizer else ():
        prefix = [str(sanitizer), "--tool", tool, "--error-exitcode", "1"]
        one_size = ["-k", "shape0 or case0"]  # it is slow
        yield (
            tool,
            [*prefix, *tests, *one_size],
            lambda left: min(_SANITIZER_SECONDS, left - _TIMING_SECONDS),
        )


def _timings(folder: Path, end: float) -> Iterator[Command]:
    """Yield the command of each suite, which gets its share of the time that is then left."""
    suites = [suite for suite in _SUITES if suite in SUITES]
    for done, suite in enumerate(suites):
        left = end - time.monotonic() - _LAST_CASE_SECONDS
        share = max(0.0, left) / (len(suites) - done)
        options = ["--device", "cuda", "--seconds", str(_WAY_SECONDS), "--out", str(folder)]
        command = [sys.executable, "-m", "mrirecon", "bench", suite, *options]
        yield suite, [*command, "--minutes", f"{share / 60:.2f}"], lambda left: left


def _verdicts(commands: Iterator[Command], end: float) -> dict[str, str]:
    """Run commands until `end` [s, of time.monotonic]; return the verdict on each."""
    return {
        name: _verdict(name, command, max(1.0, limit(end - time.monotonic())))
        for name, command, limit in commands
    }


def _failed(verdicts: dict[str, str]) -> str:
    failed = [f"{name} ({text})" for name, text in verdicts.items() if text.startswith("failed")]
    return ", ".join(failed)


def _verdict(name: str, command: list[str], seconds: float) -> str:
    """Run a command; return "passed", "failed", or that it was not finished in time."""
    print(f"gpu-check: {name}", flush=True)
    try:
        done = subprocess.run(command, cwd=_ROOT, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        verdict = f"not finished in {seconds:.0f} s"
        return f"failed: {verdict}" if name == "tests" else verdict
    return "failed" if done.returncode else "passed"


if __name__ == "__main__":
    sys.exit(main())
