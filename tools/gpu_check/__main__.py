"""`python -m gpu_check`: run what only a GPU can show, and write benchmarks/results/<device>.md.

The tests marked requires_cuda are the bodies that the emulator runs elsewhere. None may be skipped.
All of it takes less than ten minutes; what there is no time for is named in the results.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from gpu_check.cases import Case, make_cases
from gpu_check.nufft_cases import make_nufft_cases
from gpu_check.timing import Deadline, measure_all, milliseconds, write_results
from mrirecon import native

_ROOT = Path(__file__).parents[2]
_SECONDS = 540  # for everything, so that ten minutes are not exceeded by the last step
_SANITIZER_SECONDS = 60  # for each tool of compute-sanitizer
_TIMING_SECONDS = 200  # that tests and sanitizers leave to the benchmarks


def main() -> int:
    """Return 0 if all passed, 1 if something failed, 2 if there is nothing to check it on."""
    reason = _missing()
    if reason:
        print(f"gpu-check: {reason}")
        return 2
    deadline = Deadline.after(_SECONDS)
    verdicts = {
        name: _verdict(name, command, max(1.0, limit(deadline)))
        for name, command, limit in _commands()
    }
    failed = [f"{name} ({text})" for name, text in verdicts.items() if text.startswith("failed")]
    if failed:
        print(f"gpu-check: {', '.join(failed)}; nothing was timed")
        return 1
    rows = measure_all(_cases(), milliseconds, deadline)
    notes = [f"{name}: {text}" for name, text in verdicts.items()]
    folder = _ROOT / "benchmarks" / "results"
    table = write_results(rows, torch.cuda.get_device_name(), folder, notes)
    print(table.read_text())
    return 0


def _cases() -> Iterator[Case]:
    yield from make_cases("cuda")
    yield from make_nufft_cases("cuda")


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


Limit = Callable[[Deadline], float]


def _commands() -> Iterator[tuple[str, list[str], Limit]]:
    """Yield name, command and the seconds it may take, given when all must be over."""
    tests = [sys.executable, "-m", "pytest", "-m", "requires_cuda"]
    yield "tests", tests, lambda deadline: deadline.left() - _TIMING_SECONDS
    sanitizer = shutil.which("compute-sanitizer")
    for tool in ("memcheck", "racecheck", "initcheck") if sanitizer else ():
        prefix = [str(sanitizer), "--tool", tool, "--error-exitcode", "1"]
        one_size = ["-k", "shape0 or case0"]  # it is slow
        yield (
            tool,
            [*prefix, *tests, *one_size],
            lambda deadline: min(_SANITIZER_SECONDS, deadline.left() - _TIMING_SECONDS),
        )


def _verdict(name: str, command: list[str], seconds: float) -> str:
    """Run a command; return "passed", "failed", or that a sanitizer was not finished in time."""
    print(f"gpu-check: {name}", flush=True)
    try:
        done = subprocess.run(command, cwd=_ROOT, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        verdict = f"not finished in {seconds:.0f} s"
        return f"failed: {verdict}" if name == "tests" else verdict
    return "failed" if done.returncode else "passed"


if __name__ == "__main__":
    sys.exit(main())
