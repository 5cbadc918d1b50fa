"""Time NUFFTs on six workloads, at equal measured error, interleaved in one run.

For each workload and accuracy every peer gets the tolerance whose measured error is nearest to
ours, is tried in all its ways, and runs its fastest against ours, round by round. Errors are
against complex128, confirmed by the direct sum. Planning is timed apart; arrays are in memory.
Peers that are not installed are left out: finufft, ducc0, pytorch-finufft, torchkbnufft, sigpy;
pyfftw for the floor.

Command: python benchmarks/bench_nufft.py --threads 2
"""

import argparse
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from nufft_floor import floors
from nufft_peers import Ours, peers
from nufft_tables import details, summary
from nufft_timing import (
    DIRECTIONS,
    Entry,
    Row,
    error_of,
    fastest,
    planned,
    rows_of,
    slow_rows,
    timed,
    tuned,
)
from nufft_workloads import Workload, workloads
from rich.console import Console

from mrirecon.files import atomic_path

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("finufft", "ducc0", "pytorch-finufft", "torchkbnufft", "sigpy", "pyfftw", "torch")


def measure(workload: Workload, accuracy: float, options: argparse.Namespace) -> Iterator[Row]:
    """Compare all packages on a workload at an accuracy."""
    threads = options.threads
    setup, transform = timed(lambda: Ours(workload, accuracy, threads))
    ours = Entry("mrirecon", _named(transform), transform, 1e3 * setup)
    wanted = error_of(ours, workload, "forward")
    entries = tuned(workload, wanted, threads)
    for direction in DIRECTIONS:
        rivals = fastest(entries, workload, direction) if entries else []
        yield from rows_of([ours, *rivals], workload, accuracy, direction, options.seconds)
    if accuracy != options.accuracy[0] or options.quick:
        return
    for peer in peers(workload):  # those that have one accuracy
        if not peer.tolerances:
            entry = planned(peer, workload, accuracy, threads)
            yield from slow_rows(entry, workload, accuracy)


def _named(ours: Ours) -> str:
    gridding = ours.op.gridding
    return f"grid {' x '.join(map(str, gridding.grid))}, width {gridding.width}"


def environment(options: argparse.Namespace) -> dict[str, str]:
    """What the figures depend on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    model = next((x.partition(":")[2].strip() for x in lines if "model name" in x), "")
    allocator = {k: v for k, v in os.environ.items() if k.startswith("MALLOC_")}
    return {
        "command": " ".join(["python", "benchmarks/bench_nufft.py", *sys.argv[1:]]),
        "processor": model or platform.processor(),
        "threads": str(options.threads),
        "load": f"{os.getloadavg()[0]:.1f}",
        "versions": ", ".join(f"{p} {v}" for p in PACKAGES if (v := _version(p))),
        "allocator": ", ".join(f"{k}={v}" for k, v in allocator.items()) or "defaults",
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def write(name: str, about: dict[str, str], rows: list[Row], floor: dict[str, dict]) -> None:
    RESULTS.mkdir(exist_ok=True)
    table = [asdict(row) for row in rows]
    with atomic_path(RESULTS / f"{name}.json") as path:
        content = {"about": about, "rows": table, "floor_ms": floor}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    with atomic_path(RESULTS / f"{name}.md") as path:
        header = "\n".join(f"- {key}: {value}" for key, value in about.items())
        text = f"# NUFFTs on the CPU\n\n{header}\n\n{summary(table, floor)}\n{details(table)}"
        path.write_text(text, encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workloads", nargs="+", default=[work.case for work in workloads()])
    parser.add_argument("--accuracy", nargs="+", type=float, default=[1e-3, 1e-5])
    parser.add_argument("--seconds", type=float, default=1.5, help="of each comparison")
    parser.add_argument("--quick", action="store_true", help="leave out torchkbnufft and SigPy")
    parser.add_argument("--output", default="nufft", help="name of the files in results")
    return parser.parse_args()


def main() -> None:
    options = parse()
    warnings.simplefilter("ignore")  # peers deprecate what they use
    torch.set_num_threads(options.threads)
    about, console = environment(options), Console(width=160)
    rows: list[Row] = []
    start = time.perf_counter()
    floor = {}
    for workload in (work for work in workloads() if work.case in options.workloads):
        floor[workload.case] = floors(workload, options.threads)
        for accuracy in options.accuracy:
            found = list(measure(workload, accuracy, options))
            took = time.perf_counter() - start
            console.print(f"{took:.0f} s: {workload.name}, {accuracy:.0e}")
            rows += found
            write(options.output, about, rows, floor)
    console.print((RESULTS / f"{options.output}.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
