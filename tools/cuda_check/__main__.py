"""`python -m cuda_check`: measure every kernel and compare; `--update` accepts what is found."""

import argparse
import json
import sys
import tomllib
from pathlib import Path

from cuda_check.gate import Note, Notes, faults
from cuda_check.measure import (
    Kernels,
    compiler_version,
    kernels_from_json,
    kernels_to_json,
    measure,
)
from cuda_check.table import page

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_BASELINE = _HERE / "baseline.json"
_PAGE = _ROOT / "docs" / "cuda_kernels.md"


def main() -> int:
    """Return 0 where nothing became worse, and 1 with a line for each fault otherwise."""
    parser = argparse.ArgumentParser(prog="cuda_check", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write baseline and table")
    update = parser.parse_args().update
    notes = {name: Note(**note) for name, note in tomllib.loads(_notes_text()).items()}
    try:
        measured = measure(_ROOT)
    except (FileNotFoundError, RuntimeError) as error:
        print(f"cuda-check: {error}")
        return 1
    if update:
        _accept(measured, notes)
    stored = json.loads(_BASELINE.read_text())
    baseline = kernels_from_json(stored["kernels"])
    found = faults(measured, baseline, notes)
    if _PAGE.read_text() != page(baseline, notes, stored["compiler"]):
        found.append("docs/cuda_kernels.md: not that of the baseline; run `make cuda-baseline`")
    for fault in found:
        print(f"cuda-check: {fault}")
    n_compiled = sum(map(len, measured.values()))
    print(f"cuda-check: {len(measured)} kernels, {n_compiled} compiled, {len(found)} faults")
    if found and stored["compiler"] != compiler_version():
        print(f"the baseline is that of {stored['compiler']}, this is {compiler_version()}")
    return 1 if found else 0


def _notes_text() -> str:
    return (_HERE / "notes.toml").read_text()


def _accept(measured: Kernels, notes: Notes) -> None:
    compiler = compiler_version()
    _BASELINE.write_text(_baseline_text(measured, compiler))
    _PAGE.write_text(page(measured, notes, compiler))


def _baseline_text(measured: Kernels, compiler: str) -> str:
    """Return JSON with a line for each kernel and architecture, so that a change is one line."""
    kernels = []
    for name, facts in sorted(kernels_to_json(measured).items()):
        lines = [
            f"   {json.dumps(architecture)}: {json.dumps(facts[architecture])}"
            for architecture in facts
        ]
        kernels.append(f"  {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n  }")
    head = f'{{\n "compiler": {json.dumps(compiler)},\n "kernels": {{\n'
    return head + ",\n".join(kernels) + "\n }\n}\n"


if __name__ == "__main__":
    sys.exit(main())
