"""Choosing tolerances of equal error, and timing in turn."""

import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from nufft_engines import Transform
from nufft_peers import Peer, peers
from nufft_workloads import Workload, relative_error
from torch import Tensor

Result = TypeVar("Result")
FEWEST, MOST = 5, 40  # rounds
DIRECTIONS = ("forward", "adjoint", "normal")
PAUSE_S = 0.005
SLOW_S = 1.0  # what takes longer is timed by the call that gives its error
WORSE = 2.0  # times our error: what a peer may have, unless all its ways have more


@dataclass(frozen=True)
class Row:
    """One package on one workload in one direction."""

    case: str
    workload: str
    accuracy: float
    direction: str
    package: str
    setting: str
    median_ms: float
    quartiles_ms: tuple[float, float]
    rounds: int
    error: float
    setup_ms: float


@dataclass(frozen=True)
class Entry:
    """A planned transform, and what it took to plan it."""

    package: str
    setting: str
    transform: Transform
    setup_ms: float


def planned(peer: Peer, workload: Workload, tolerance: float, threads: int) -> Entry:
    setup, transform = timed(lambda: peer.make(workload, tolerance, threads))
    label = [peer.setting, peer.way, f"tolerance {tolerance:.1e}" if peer.tolerances else ""]
    return Entry(peer.name, ", ".join(filter(None, label)), transform, 1e3 * setup)


def timed(compute: Callable[[], Result]) -> tuple[float, Result]:
    start = time.perf_counter()
    result = compute()
    return time.perf_counter() - start, result


def error_of(entry: Entry, workload: Workload, direction: str) -> float:
    result: Tensor = getattr(entry.transform, direction)(workload.operands()[direction])
    scale = entry.transform.scale ** (2 if direction == "normal" else 1)
    return relative_error(result * scale, workload.exact(direction))


def nearest_tolerance(
    peer: Peer, workload: Workload, wanted: float, threads: int
) -> tuple[float, float]:
    """Find the tolerance with which one image has an error nearest to the wanted one, and it."""
    errors = {}
    for multiple in peer.tolerances:
        tolerance = max(wanted * multiple, 1.2e-6)  # the least that ducc0 takes in float32
        if tolerance not in errors:
            entry = Entry("", "", peer.trial(workload, tolerance, threads), 0)
            errors[tolerance] = error_of(entry, workload, "forward")
    return min(errors.items(), key=lambda item: abs(math.log(item[1] / wanted)))


def tuned(workload: Workload, wanted: float, threads: int) -> list[Entry]:
    """Plan every peer that has a tolerance, in each way that comes near the wanted error."""
    one_image = workload.one_image()
    known: dict[tuple[str, str], tuple[float, float]] = {}  # one image does not tell ways apart
    found: dict[str, list[tuple[float, float, Peer]]] = {}
    for peer in peers(workload):
        if not peer.tolerances:
            continue
        key = (peer.name, peer.setting)
        if key not in known:
            known[key] = nearest_tolerance(peer, one_image, wanted, threads)
        tolerance, error = known[key]
        found.setdefault(peer.name, []).append((error, tolerance, peer))
    entries = []
    for ways in found.values():
        least = min(error for error, _, _ in ways)
        allowed = max(least, WORSE * wanted)
        entries += [planned(p, workload, t, threads) for error, t, p in ways if error <= allowed]
    return entries


def interleaved(
    computes: list[Callable[[], object]], seconds: float, fewest: int
) -> list[list[float]]:
    """Time all in turn, round by round, after one round that warms up and tells how many fit.

    Between two of them the threads of the first, which wait actively for a while, fall asleep; an
    untimed call then wakes those of the second.
    """
    round_s = sum(PAUSE_S + 2 * timed(compute)[0] for compute in computes)
    rounds = int(min(MOST, max(fewest, seconds / round_s)))
    times: list[list[float]] = [[] for _ in computes]
    for _ in range(rounds):
        for compute, series in zip(computes, times, strict=True):
            if rounds > 1:
                time.sleep(PAUSE_S)
                compute()
            series.append(timed(compute)[0])
    return times


def calls(entries: list[Entry], workload: Workload, direction: str) -> list[Callable[[], object]]:
    operand = workload.operands()[direction]
    return [partial(getattr(entry.transform, direction), operand) for entry in entries]


def fastest(entries: list[Entry], workload: Workload, direction: str) -> list[Entry]:
    """Keep the fastest way of each package, by a few rounds."""
    times = interleaved(calls(entries, workload, direction), 0, 3)
    best: dict[str, tuple[float, Entry]] = {}
    for entry, series in zip(entries, times, strict=True):
        known = best.get(entry.package)
        if known is None or statistics.median(series) < known[0]:
            best[entry.package] = (statistics.median(series), entry)
    return [entry for _, entry in best.values()]


def rows_of(
    entries: list[Entry], workload: Workload, accuracy: float, direction: str, seconds: float
) -> Iterator[Row]:
    """Check and time entries in turn."""
    errors = [error_of(entry, workload, direction) for entry in entries]
    times = interleaved(calls(entries, workload, direction), seconds, FEWEST)
    for entry, series, error in zip(entries, times, errors, strict=True):
        yield _row(entry, workload, accuracy, direction, series=series, error=error)


def slow_rows(entry: Entry, workload: Workload, accuracy: float) -> Iterator[Row]:
    """Check and time an entry by itself, in a few rounds or one.

    The normal operator where it is a convolution, which is in the plane.
    """
    in_plane = workload.coords.ndim == 2 and len(workload.shape) == 2
    for direction in DIRECTIONS if in_plane else DIRECTIONS[:2]:
        took, error = timed(partial(error_of, entry, workload, direction))
        series = [took]
        if took < SLOW_S:
            (compute,) = calls([entry], workload, direction)
            series = [timed(compute)[0] for _ in range(3)]
        yield _row(entry, workload, accuracy, direction, series=series, error=error)


def _row(
    entry: Entry,
    workload: Workload,
    accuracy: float,
    direction: str,
    *,
    series: list[float],
    error: float,
) -> Row:
    quarters = statistics.quantiles([1e3 * t for t in series] * 2, n=4)
    return Row(
        case=workload.case,
        workload=workload.name,
        accuracy=accuracy,
        direction=direction,
        package=entry.package,
        setting=entry.setting,
        median_ms=1e3 * statistics.median(series),
        quartiles_ms=(quarters[0], quarters[2]),
        rounds=len(series),
        error=error,
        setup_ms=entry.setup_ms,
    )
