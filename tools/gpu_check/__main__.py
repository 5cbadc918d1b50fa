"""`python -m gpu_check`: run what only a GPU can show, and write benchmarks/results/<device>.md.

The tests marked requires_cuda are the bodies that the emulator runs elsewhere. None may be skipped.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import torch

from gpu_check.cases import make_cases
from gpu_check.timing import measure, milliseconds, write_results
from mrirecon import native

_ROOT = Path(__file__).parents[2]


def main() -> int:
    """Return 0 if all passed, 1 if something failed, 2 if there is nothing to check it on."""
    reason = _missing()
    if reason:
        print(f"gpu-check: {reason}")
        return 2
    failed = [name for name, command in _commands().items() if not _passes(name, command)]
    if failed:
        print(f"gpu-check: failed: {', '.join(failed)}; nothing was timed")
        return 1
    rows = [row for case in make_cases("cuda") for row in measure(case, milliseconds)]
    folder = _ROOT / "benchmarks" / "results"
    table = write_results(rows, torch.cuda.get_device_name(), folder)
    print(table.read_text())
    return 0


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


def _commands() -> dict[str, list[str]]:
    tests = [sys.executable, "-m", "pytest", "-m", "requires_cuda"]
    commands = {"tests": tests}
    sanitizer = shutil.which("compute-sanitizer")
    for tool in ("memcheck", "racecheck", "initcheck") if sanitizer else ():
        prefix = [str(sanitizer), "--tool", tool, "--error-exitcode", "1"]
        commands[tool] = [*prefix, *tests, "-k", "shape0 or case0"]  # one size: it is slow
    return commands


def _passes(name: str, command: list[str]) -> bool:
    print(f"gpu-check: {name}", flush=True)
    return subprocess.run(command, cwd=_ROOT, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
