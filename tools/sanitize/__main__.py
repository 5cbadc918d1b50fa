"""`python -m sanitize`: run the tests of the CUDA kernels under the compiler's sanitizers.

AddressSanitizer and UndefinedBehaviourSanitizer see accesses outside memory, misaligned ones and
overflows; ThreadSanitizer, for which every CUDA thread is a thread, sees races. Each must first
report faults that are seeded in sample kernels.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Sanitizer:
    """A build of the emulated library, how Python loads it, and what to run.

    Attributes:
        kind: value of MRIRECON_SANITIZER.
        runtime: library that must be in the process before all others.
        options: of the runtimes, by environment variable.
        tests: arguments of pytest.
        seeded: sample kernel and a part of the report that it must cause.
    """

    kind: str
    runtime: str
    options: dict[str, str]
    tests: tuple[str, ...]
    seeded: dict[str, str]


SANITIZERS = [
    Sanitizer(
        kind="address",
        runtime="libasan.so",
        options={"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"},
        tests=("-k", "(emulator or cuda) and not past_shared and not before_shared"),
        seeded={
            "read_past_global": "AddressSanitizer: heap-buffer-overflow",
            "read_past_shared": "AddressSanitizer: use-after-poison",
            "write_past_shared": "AddressSanitizer: use-after-poison",
            "write_before_shared": "AddressSanitizer: use-after-poison",
            "misaligned_vector": "misaligned address",
            "overflow_index": "runtime error: signed integer overflow",
        },
    ),
    Sanitizer(
        kind="thread",
        runtime="libtsan.so",
        options={"TSAN_OPTIONS": "halt_on_error=1"},
        # One order is enough: what races in one is reported in all.
        tests=(
            "-k",
            "(emulator or cuda) and forward and not (faulty or without or misuse or show)",
        ),
        seeded=dict.fromkeys(
            [
                "missing_barrier",
                "missing_second_barrier",
                "copy_without_barrier",
                "missing_syncwarp",
                "shuffle_for_syncwarp",
                "add_without_atomic",
            ],
            "ThreadSanitizer: data race",
        ),
    ),
]

_RUN_SAMPLE = """
import importlib.util, sys
import numpy
spec = importlib.util.spec_from_file_location("mrirecon_emulated", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
numbers = numpy.arange(192, dtype=numpy.float32)
module.run_sample(sys.argv[2], numbers, grid=(2, 1, 1), block=(96, 1, 1), shared_bytes=384)
"""


def main() -> int:
    """Return 0 if nothing is reported but what is seeded."""
    parser = argparse.ArgumentParser(prog="sanitize", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="address, thread; default: both")
    kinds = parser.parse_args().kinds
    faults = [
        fault
        for sanitizer in SANITIZERS
        if not kinds or sanitizer.kind in kinds
        for fault in _run(sanitizer)
    ]
    for fault in faults:
        print(f"sanitize: {fault}")
    return 1 if faults else 0


def _run(sanitizer: Sanitizer) -> list[str]:
    start = time.monotonic()
    library = _build(sanitizer.kind)
    python_path = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {
        **os.environ,
        **sanitizer.options,
        "LD_PRELOAD": _preloaded(sanitizer.runtime),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": python_path,
    }
    faults = [
        fault
        for kernel, report in sanitizer.seeded.items()
        if (fault := _missed(kernel, report, library, environment))
    ]
    n_found = len(sanitizer.seeded) - len(faults)
    # The reports are written past Python, where only capturing by sys lets them through.
    options = ["--capture=sys", "-p", "no:cacheprovider", f"--emulator={library}"]
    folders = ["tests/emulator", "tests/ops", "tests/nufft"]
    command = [sys.executable, "-m", "pytest", *options, *sanitizer.tests, *folders]
    done = subprocess.run(command, env=environment, cwd=_ROOT, check=False)
    if done.returncode != 0:
        faults.append(f"{sanitizer.kind}: pytest ended with {done.returncode}")
    found = f"{n_found} of {len(sanitizer.seeded)} seeded faults found"
    print(f"{sanitizer.kind}: {found}, {time.monotonic() - start:.0f} s")
    return faults


def _build(kind: str) -> Path:
    """Build the emulated library with a sanitizer; return it."""
    build = _ROOT / "build" / kind
    options = ["-DMRIRECON_CUDA=OFF", "-DMRIRECON_EMULATOR=ON", f"-DMRIRECON_SANITIZER={kind}"]
    python = f"-DPython3_EXECUTABLE={sys.executable}"
    configure = ["cmake", "-S", str(_ROOT), "-B", str(build), "-G", "Ninja", python, *options]
    compile_ = ["cmake", "--build", str(build), "--target", "mrirecon_emulated"]
    for command in (configure, compile_):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return build / "mrirecon_emulated.so"


def _preloaded(runtime: str) -> str:
    """Return the libraries that must come first: the C++ one is there when exceptions are found."""
    compiler = os.environ.get("CXX", "c++")
    names = [runtime, "libstdc++.so.6"]
    return " ".join(
        subprocess.run(
            [compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in names
    )


def _missed(kernel: str, report: str, library: Path, environment: dict[str, str]) -> str:
    """Return nothing if the sample kernel causes the report and ends the process."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN_SAMPLE, str(library), kernel],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 and report in done.stderr:
        return ""
    found = done.stderr.strip().splitlines()[:1] or "nothing"
    return f"{kernel}: expected a report of {report!r}, got {found}"


if __name__ == "__main__":
    sys.exit(main())
