"""Check every way of a case against what is right, then time those that are."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from mrirecon.bench.case import OURS, Case, Compute, Floors, Problem, Way, relative_error
from mrirecon.bench.machine import Neighbours, copy_of, peak_memory
from mrirecon.bench.peers import is_installed, peer_of
from mrirecon.bench.results import LEFT_OUT, CaseResult, WayResult
from mrirecon.bench.timing import quartiles, replayed, time_in_turn, timer_of

_FLOOR = "floor: "
_SEED = 0  # of the order in which ways are timed


@dataclass(frozen=True)
class Options:
    """How cases are measured.

    Attributes:
        device: where the operands are.
        threads: of every way, on a CPU.
        seconds: that each way is timed.
        peers: to compare with, and nothing else; empty for all.
        peak: most additions and multiplications a second of the device, as measured.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    threads: int = 1
    seconds: float = 0.5
    peers: frozenset[str] = frozenset()
    peak: float | None = None

    def takes(self, way: str) -> bool:
        """Return whether a way is asked for; this package's always is."""
        return not self.peers or peer_of(way) in self.peers | {OURS}


def measure_all(
    cases: Iterable[Case], options: Options, end: float | None = None
) -> Iterator[CaseResult]:
    """Measure case after case; what begins after `end` [s, of time.monotonic] is left out."""
    for case in cases:
        if end is None or time.monotonic() < end:
            yield measure(case, options)
        else:
            yield _result(case, options, ways=(WayResult(OURS, note=LEFT_OUT),))


def measure(case: Case, options: Options) -> CaseResult:
    """Plan, check and time all ways of a case.

    A way that is wrong, fails or is not installed has no times and a note instead.
    """
    torch.compiler.reset()  # else the ways of earlier cases count towards its limit of variants
    problem = case.make()
    planned, refused = _plan(problem, options)
    runs: dict[str, Compute] = {name: ready.way.run for name, ready in planned.items()}
    floors = _floors(problem.floors, options.device)
    with Neighbours() as neighbours:
        times = time_in_turn(runs | floors, options.seconds, timer_of(options.device), _SEED)
    done = [
        WayResult(
            name,
            ready.way.setting,
            error=ready.error,
            setup_ms=ready.setup_ms,
            quartiles_ms=_milliseconds(times[name]),
            n_samples=len(times[name]),
            peak_mib=peak_memory(ready.way.run, options.device),
        )
        for name, ready in planned.items()
    ]
    return _result(
        case,
        options,
        ways=(*done, *refused),
        problem=problem,
        floors_ms={name.removeprefix(_FLOOR): _milliseconds(times[name])[1] for name in floors},
        neighbours=neighbours.share,
    )


@dataclass(frozen=True)
class _Planned:
    way: Way
    setup_ms: float
    error: float


def _plan(problem: Problem, options: Options) -> tuple[dict[str, _Planned], list[WayResult]]:
    """Plan the ways that are asked for, and check them; return also those that are refused."""
    expected = problem.expected()
    planned: dict[str, _Planned] = {}
    refused = []
    for name, make in problem.ways.items():
        if not options.takes(name):
            continue
        if not is_installed(peer_of(name)):
            refused.append(WayResult(name, note="not installed"))
            continue
        try:
            ready = _prepare(make, expected)
        except Exception as error:  # of packages that this one does not know
            text = (str(error).splitlines() or [""])[0]
            refused.append(WayResult(name, note=f"failed: {type(error).__name__}: {text}"))
            continue
        if ready.error <= problem.tolerance:
            planned[name] = ready
            if options.device.type == "cuda" and peer_of(name) in (OURS, "PyTorch"):
                planned |= _replayed(name, ready.way, expected, problem.tolerance)
        else:
            note = f"wrong: error {ready.error:.1e}, allowed {problem.tolerance:.1e}"
            refused.append(WayResult(name, ready.way.setting, error=ready.error, note=note))
    return planned, refused


def _prepare(make: Compute, expected: Tensor) -> _Planned:
    start = time.perf_counter()
    way: Way = make()
    took_ms = 1e3 * (time.perf_counter() - start)
    setup_ms = took_ms if way.setup_ms is None else way.setup_ms
    return _Planned(way, setup_ms, relative_error(way.result(way.run()), expected))


def _replayed(name: str, way: Way, expected: Tensor, tolerance: float) -> dict[str, _Planned]:
    """Return the way as a CUDA graph, or nothing where it cannot be recorded or is then wrong."""
    try:
        ready = _prepare(lambda: replace(way, run=replayed(way.run), setup_ms=None), expected)
    except RuntimeError:
        return {}
    label = f"{name}, replayed" if ":" in name else f"{name}: replayed"
    return {label: ready} if ready.error <= tolerance else {}


def _floors(floors: Floors, device: torch.device) -> dict[str, Compute]:
    """Return what is timed beside the ways."""
    found: dict[str, Compute] = {}
    if floors.n_bytes:
        found[_FLOOR + "bytes"] = copy_of(floors.n_bytes, device)
    if floors.transforms is not None:
        found[_FLOOR + "transforms"] = floors.transforms
    if floors.convolutions is not None:
        found[_FLOOR + "convolutions"] = floors.convolutions
    return found


def _milliseconds(times: list[float]) -> tuple[float, float, float]:
    lower, middle, upper = quartiles([1e3 * t for t in times])
    return lower, middle, upper


def _result(
    case: Case,
    options: Options,
    *,
    ways: tuple[WayResult, ...],
    problem: Problem | None = None,
    floors_ms: Mapping[str, float] = {},
    neighbours: float | None = None,
) -> CaseResult:
    floors = Floors() if problem is None else problem.floors
    computing = {}
    if options.peak and floors.n_operations:
        computing["operations"] = 1e3 * floors.n_operations / options.peak
    return CaseResult(
        suite=case.suite,
        name=case.name,
        threads=options.threads,
        tolerance=0.0 if problem is None else problem.tolerance,
        ways=ways,
        aims=dict(case.aims),
        floors_ms={**floors_ms, **computing},
        n_bytes=floors.n_bytes,
        n_operations=floors.n_operations,
        n_images=case.n_images,
        curve=case.curve,
        at=case.at,
        neighbours=neighbours,
    )
