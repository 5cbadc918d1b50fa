"""`python -m mutation [STEM ...]`: seed every fault and see that the tests catch it."""

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

from mutation.build import Commands
from mutation.faults import Fault, put_into_copy, read_faults
from mutation.trial import run_tests

_ROOT = Path(__file__).parents[2]
_FAULTS = Path(__file__).parent / "faults"
_BUILD, _WORK = _ROOT / "build" / "cmake", _ROOT / "build" / "mutation"
_SECONDS = 120  # for the tests of one fault; a fault may also make a kernel run for ever
_N_WORKERS = 2


def main() -> int:
    """Return 0 if every fault is caught, 1 with a line for each that is not."""
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("stems", nargs="*", metavar="STEM", help="masking, ssim, ...; default: all")
    stems = parser.parse_args().stems
    os.environ["OMP_NUM_THREADS"] = "1"  # the workers fill the cores, and forks want no threads
    start = time.monotonic()
    lists = [path for path in sorted(_FAULTS.glob("*.toml")) if not stems or path.stem in stems]
    faults = [fault for path in lists for fault in read_faults(path)]
    commands = Commands(_ROOT, _BUILD)
    _WORK.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=_N_WORKERS) as pool:
        whole = pool.map(_fails_without_fault, {fault.tests for fault in faults})
        verdicts = list(pool.map(_verdict, range(len(faults)), faults, repeat(commands)))
        broken = [line for line in [*whole, *verdicts] if line]
    for line in broken:
        print(f"mutation: {line}")
    n_caught = verdicts.count("")
    print(f"caught {n_caught} of {len(faults)} in {time.monotonic() - start:.0f} s")
    return 1 if broken or not faults else 0


def _fails_without_fault(tests: tuple[str, ...]) -> str:
    """Return why the tests do not pass on the library as it is, or nothing."""
    log = _WORK / f"{Path(tests[0]).stem}.log"
    passes, summary = _try(tests, _BUILD / "mrirecon_emulated.so", log)
    return "" if passes else f"{' '.join(tests)}: expected to pass without a fault, got {summary}"


def _verdict(number: int, fault: Fault, commands: Commands) -> str:
    """Return nothing if the tests catch the fault, a line that names it otherwise."""
    name = f"{fault.file}: {fault.what}"
    copy = _WORK / str(number)
    try:
        put_into_copy(fault, _ROOT, copy)
        library = commands.build(fault.stem, copy)
        passes, summary = _try(fault.tests, library, library.with_suffix(".log"))
    except (RuntimeError, ValueError) as error:
        return f"{name}: {error}"
    if passes:
        return f"{name}: survived"
    return "" if "failed" in summary else f"{name}: expected a failed test, got {summary}"


def _try(tests: tuple[str, ...], library: Path, log: Path) -> tuple[bool, str]:
    """Run tests on a library; return whether all passed, and their last line or how they ended."""
    options = ["-x", "--tb=no", "-p", "no:cacheprovider", f"--emulator={library}"]
    status, summary = run_tests([*options, *tests], _ROOT, log, _SECONDS)
    return status == 0, summary


if __name__ == "__main__":
    sys.exit(main())
