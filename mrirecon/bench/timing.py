"""Times of several ways, taken in turn and in random order, on a CPU or a GPU."""

import random
import statistics
import time
from collections.abc import Callable, Mapping

import torch

from mrirecon.bench.case import Compute

FEWEST, MOST = 3, 50  # runs of a way
_PAUSE_S = 0.003
_LEAST_S = 2e-4  # that one sample takes, so that the clock's own cost does not count
_FLUSHED_BYTES = 512 * 2**20  # more than any cache of a GPU holds

Timer = Callable[[Compute, int], float]


def wall_seconds(run: Compute, repeats: int = 1) -> float:
    """Time `run` by the clock on the wall; return the mean of `repeats` runs [s]."""
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats


def cuda_seconds(run: Compute, repeats: int = 1) -> float:
    """Time `run` by events on the current stream of the GPU, each time with cold caches [s]."""
    flushed = torch.empty(_FLUSHED_BYTES, dtype=torch.uint8, device="cuda")
    times = []
    for _ in range(repeats):
        flushed.zero_()
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return statistics.fmean(times)


def timer_of(device: torch.device) -> Timer:
    """Return the clock for a device."""
    return cuda_seconds if device.type == "cuda" else wall_seconds


def time_in_turn(
    runs: Mapping[str, Compute], seconds: float, timer: Timer, seed: int
) -> dict[str, list[float]]:
    """Time every way several times, mixed evenly and in random order.

    A way is run twice before anything is timed: the first run compiles and fills caches, the
    second tells how often it fits into its share. Before each sample of a short way there is a
    pause, in which the threads of the way before, which wait actively, fall asleep, and a run that
    is not timed, which wakes this way's and brings its operands back into the caches.

    Args:
        runs: the ways by name.
        seconds: for each way; at least `FEWEST` samples are taken.
        timer: the clock.
        seed: of the order.

    Returns:
        Seconds a run, of every sample, by name.
    """
    counts, repeats = {}, {}
    for name, run in runs.items():
        run()
        once = timer(run, 1)
        repeats[name] = max(1, min(100, int(_LEAST_S / max(once, 1e-7))))
        counts[name] = int(min(MOST, max(FEWEST, seconds / (once * repeats[name]))))
    times: dict[str, list[float]] = {name: [] for name in runs}
    for name in mixed(counts, random.Random(seed)):
        if counts[name] > FEWEST:
            time.sleep(_PAUSE_S)
            runs[name]()
        times[name].append(timer(runs[name], repeats[name]))
    return times


def mixed(counts: Mapping[str, int], order: random.Random) -> list[str]:
    """Spread every name `count` times evenly over a list, in random order within each stretch."""
    places = [
        ((turn + order.random()) / count, name)
        for name, count in counts.items()
        for turn in range(count)
    ]
    return [name for _, name in sorted(places)]


def quartiles(times: list[float]) -> tuple[float, float, float]:
    """Return lower quartile, median and upper quartile of two or more samples."""
    lower, middle, upper = statistics.quantiles(times, n=4, method="inclusive")
    return lower, middle, upper


def replayed(run: Compute) -> Compute:
    """Record `run` as a CUDA graph, and return what replays it.

    Raises:
        RuntimeError: it does something that cannot be recorded, such as reading on the host.
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        kept = run()  # what it computes lives in the graph's memory

    def replay() -> object:
        graph.replay()
        return kept

    return replay
