"""Times on a GPU by its own events, and a table of them."""

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

import torch
from torch import Tensor

from gpu_check.cases import Case, relative_error
from mrirecon.files import atomic_path

_N_WARM, _N_TIMED = 10, 50
_FLUSHED_BYTES = 512 * 2**20  # more than any cache holds


@dataclass(frozen=True)
class Row:
    """One way of one case; times in milliseconds."""

    case: str
    way: str
    median: float
    iqr: float
    gb_per_s: float
    error: float


def milliseconds(compute: Callable[[], Tensor]) -> list[float]:
    """Time `compute` on the current stream, each time with cold caches."""
    flushed = torch.empty(_FLUSHED_BYTES, dtype=torch.uint8, device="cuda")
    times = []
    for _ in range(_N_WARM + _N_TIMED):
        flushed.zero_()
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        compute()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return times[_N_WARM:]


def measure(case: Case, timer: Callable[[Callable[[], Tensor]], list[float]]) -> list[Row]:
    """Time a case three ways, after the results were found to agree."""
    error = relative_error(case)
    ways = {
        "mrirecon": case.ours,
        "plain PyTorch": case.plain,
        "torch.compile": torch.compile(case.plain),
    }
    rows = []
    for way, compute in ways.items():
        times = timer(compute)
        lower, _, upper = quantiles(times, n=4)
        speed = case.n_bytes / median(times) / 1e6
        rows.append(Row(case.name, way, median(times), upper - lower, speed, error))
    return rows


def write_results(rows: list[Row], device: str, folder: Path) -> Path:
    """Write `folder`/<device>.json, and .md with a table; return the table's path."""
    facts = {"device": device, "torch": torch.__version__, "python": platform.python_version()}
    stem = "".join(letter if letter.isalnum() else "_" for letter in device.lower())
    stored = json.dumps({**facts, "rows": [asdict(row) for row in rows]}, indent=1)
    with atomic_path(folder / f"{stem}.json") as path:
        path.write_text(stored + "\n")
    lines = [
        f"# {device}",
        "",
        f"Command: `make gpu-check`. torch {torch.__version__}, CUDA events, cold caches, "
        f"{_N_TIMED} runs. GB/s count operands and result once.",
        "",
        "| case | way | median, ms | IQR, ms | GB/s | error |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.case} | {row.way} | {row.median:.3f} | {row.iqr:.3f} | {row.gb_per_s:.0f} "
        f"| {row.error:.1e} |"
        for row in rows
    ]
    with atomic_path(folder / f"{stem}.md") as path:
        path.write_text("\n".join(lines) + "\n")
    return folder / f"{stem}.md"
