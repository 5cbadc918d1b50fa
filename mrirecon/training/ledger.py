"""Where the time of a training run goes: waiting for data, computing, validating, saving."""

import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import torch

HOST_PHASES = ("data", "validation", "saving")
"""Measured by the host's clock; the others on a GPU by its own, since calls do not wait for it."""
PHASES = ("data", "copy", "sampling", "forward", "backward", "optimizer", "validation", "saving")


class Ledger:
    """Add up the seconds of each phase.

    Args:
        device: where the networks are.
    """

    def __init__(self, device: torch.device) -> None:
        self._on_gpu = device.type == "cuda"
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._events: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []
        self._start = time.perf_counter()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what happens inside as one of `PHASES`."""
        if self._on_gpu and name not in HOST_PHASES:
            first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            first.record()
            yield
            last.record()
            self._events.append((name, first, last))
            return
        start = time.perf_counter()
        yield
        self._seconds[name] += time.perf_counter() - start

    def read(self) -> tuple[float, dict[str, float]]:
        """Give what was counted since the last reading, and begin anew; waits for the device.

        Returns:
            Seconds since then in all, and those of each phase. What is left over is the loop's
            own: logging, learning rates, Python.
        """
        if self._events:
            self._events[-1][2].synchronize()
        for name, first, last in self._events:
            self._seconds[name] += first.elapsed_time(last) / 1000
        now = time.perf_counter()
        total, self._start = now - self._start, now
        seconds = {name: self._seconds[name] for name in PHASES if name in self._seconds}
        self._events.clear()
        self._seconds.clear()
        return total, seconds


def peak_memory(device: torch.device) -> int:
    """Return the most memory used so far [bytes]: of the GPU, or of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def total_memory(device: torch.device) -> int:
    """Return how much memory there is [bytes]: on the GPU, or of this machine."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
