"""Times on a GPU by its own events, and a table of them."""

import json
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

import torch
from torch import Tensor

from gpu_check.cases import Case, Way, relative_error
from mrirecon.files import atomic_path

_N_WARM, _N_TIMED, _LEAST_TIMED = 5, 50, 5
_SECONDS = 1.5  # that one way is timed at most, once _LEAST_TIMED times are there
_FLUSHED_BYTES = 512 * 2**20  # more than any cache holds

Timer = Callable[[Callable[[], Tensor]], list[float]]


@dataclass(frozen=True)
class Row:
    """One way of one case; times in milliseconds. Without times, `note` says why."""

    case: str
    way: str
    median: float | None = None
    iqr: float | None = None
    gb_per_s: float | None = None
    error: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Deadline:
    """When the whole must be over, [s] of the monotonic clock."""

    end: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Return the seconds that are left, at least 0."""
        return max(0.0, self.end - time.monotonic())


def milliseconds(compute: Callable[[], Tensor]) -> list[float]:
    """Time `compute` on the current stream, each time with cold caches."""
    flushed = torch.empty(_FLUSHED_BYTES, dtype=torch.uint8, device="cuda")
    times: list[float] = []
    deadline = Deadline.after(_SECONDS)
    for i in range(_N_WARM + _N_TIMED):
        flushed.zero_()
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        compute()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
        if i + 1 >= _N_WARM + _LEAST_TIMED and not deadline.left():
            break
    return times[_N_WARM:]


def measure_all(cases: Iterable[Case], timer: Timer, deadline: Deadline) -> list[Row]:
    """Time every case that there is time for; those left out have rows that say so."""
    rows: list[Row] = []
    for case in cases:
        if deadline.left():
            rows += measure(case, timer)
        else:
            rows += [Row(case.name, way, note="left out: no time was left") for way in case.ways]
    return rows


def measure(case: Case, timer: Timer) -> list[Row]:
    """Time a case every way, after this package's result was found right.

    Raises:
        ValueError: it is not; or what this package raises. Another's fault is a note in its row.
    """
    expected = case.expected()
    rows = []
    for name, prepare in case.ways.items():
        if prepare is None:
            rows.append(Row(case.name, name, note="not installed"))
            continue
        try:
            rows.append(_measure_way(case, name, prepare(), expected, timer))
        except Exception as error:  # of packages that this one does not know
            if name == "mrirecon":
                raise
            text = (str(error).splitlines() or [""])[0]
            rows.append(Row(case.name, name, note=f"failed: {type(error).__name__}: {text}"))
    return rows


def _measure_way(case: Case, name: str, way: Way, expected: Tensor, timer: Timer) -> Row:
    error = relative_error(way, expected)
    if name == "mrirecon" and not error <= case.tolerance:
        raise ValueError(f"{case.name}: expected an error up to {case.tolerance}, got {error}")
    times = timer(way.compute)
    lower, _, upper = quantiles(times, n=4)
    speed = case.n_bytes / median(times) / 1e6
    return Row(case.name, name, median(times), upper - lower, speed, error)


def write_results(rows: list[Row], device: str, folder: Path, notes: Iterable[str] = ()) -> Path:
    """Write `folder`/<device>.json, and .md with a table; return the table's path."""
    facts = {"device": device, "torch": torch.__version__, "python": platform.python_version()}
    stem = "".join(letter if letter.isalnum() else "_" for letter in device.lower())
    stored = {**facts, "notes": list(notes), "rows": [asdict(row) for row in rows]}
    with atomic_path(folder / f"{stem}.json") as path:
        path.write_text(json.dumps(stored, indent=1) + "\n")
    lines = [
        f"# {device}",
        "",
        f"Command: `make gpu-check`. torch {torch.__version__}, CUDA events, cold caches, up to "
        f"{_N_TIMED} runs. GB/s count operands and result once; errors are relative, against plain "
        "PyTorch, or for NUFFTs against the transform in double.",
        "",
        *(f"- {note}" for note in notes),
        *([""] if notes else []),
        "| case | way | median, ms | IQR, ms | GB/s | error |",
        "|---|---|---|---|---|---|",
        *map(_cells, rows),
    ]
    with atomic_path(folder / f"{stem}.md") as path:
        path.write_text("\n".join(lines) + "\n")
    return folder / f"{stem}.md"


def _cells(row: Row) -> str:
    numbers = [row.median, row.iqr, row.gb_per_s, row.error]
    formats = [".3f", ".3f", ".0f", ".1e"]
    texts = [
        "" if number is None else format(number, style)
        for number, style in zip(numbers, formats, strict=True)
    ]
    texts[0] = texts[0] or row.note
    return f"| {row.case} | {row.way} | {' | '.join(texts)} |"
