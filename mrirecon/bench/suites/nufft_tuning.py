"""Choosing, for every package, the setting whose error is nearest to ours, and its fastest way."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar

from mrirecon.bench.case import relative_error
from mrirecon.bench.suites.nufft_candidates import Candidate, candidates
from mrirecon.bench.suites.nufft_engines import Transform
from mrirecon.bench.suites.nufft_peers import Ours
from mrirecon.bench.suites.nufft_workloads import Direction, Workload
from mrirecon.bench.timing import timer_of

WORSE = 2.0  # times our error: what a peer may have, unless all its settings have more
Made = TypeVar("Made")
_TRIALS, _TRIAL_S = 5, 0.1  # runs of a way that is tried, and when to stop


@dataclass(frozen=True)
class Planned:
    """A planned transform.

    Attributes:
        transform: it.
        setting: how it is tuned, in words.
        make: plans it once more.
        setup_ms: what planning took.
    """

    transform: Transform
    setting: str
    make: Callable[[], Transform]
    setup_ms: float


@dataclass(eq=False)
class Contest:
    """All packages on a workload at an accuracy; what sets their errors is chosen once.

    Attributes:
        work: the workload.
        accuracy: that ours is asked for.
        threads: of every package.
    """

    work: Workload
    accuracy: float
    threads: int
    _chosen: dict[str, list[tuple[Candidate, float]]] = field(default_factory=dict)

    def ours(self) -> Planned:
        """Plan ours."""
        make = partial(Ours, self.work, self.accuracy)
        ours, setup_ms = _timed(make)
        gridding = ours.op.gridding
        setting = f"grid {' x '.join(map(str, gridding.grid))}, width {gridding.width}"
        return Planned(ours, setting, make, setup_ms)

    @cached_property
    def wanted(self) -> float:
        """Our error."""
        return error_of(self.ours().transform, self.work, "forward")

    def fastest(self, peer: str, direction: Direction, *, planned_only: bool = False) -> Planned:
        """Plan a peer in the fastest of its ways that come near our error, by a few runs each.

        Args:
            peer: its name.
            direction: what is run.
            planned_only: leave out ways without a plan.
        """
        ways = [(c, value) for c, value in self.chosen(peer) if c.plans or not planned_only]
        best: tuple[float, Planned] | None = None
        for candidate, value in ways:
            threads = 1 if candidate.one_thread else self.threads
            make = partial(candidate.make, self.work, value, threads)
            transform, setup_ms = _timed(make)
            planned = Planned(transform, candidate.named(value), make, setup_ms)
            took = self._seconds(transform, direction) if len(ways) > 1 else 0.0
            if best is None or took < best[0]:
                best = took, planned
        assert best is not None, f"{peer} has a way"
        return best[1]

    def chosen(self, peer: str) -> list[tuple[Candidate, float]]:
        """Return the ways of a peer that come near our error, each with what sets it."""
        if peer not in self._chosen:
            known: dict[str, tuple[float, float]] = {}  # how threads share does not change it
            found = []
            for candidate in candidates(peer, self.work):
                if candidate.setting not in known:
                    known[candidate.setting] = self._nearest(candidate)
                found.append((candidate, *known[candidate.setting]))
            allowed = max(WORSE * self.wanted, min(error for _, _, error in found))
            self._chosen[peer] = [(c, value) for c, value, error in found if error <= allowed]
        return self._chosen[peer]

    def _nearest(self, candidate: Candidate) -> tuple[float, float]:
        """Return the value with which one image has an error nearest to ours, and that error."""
        work = self.work.few_samples if candidate.is_slow else self.work.one_image
        values = candidate.knobs(self.wanted)
        if len(values) == 1:
            return values[0], 0.0
        errors = {
            value: error_of(candidate.trial(work, value, self.threads), work, "forward")
            for value in values
        }
        return min(errors.items(), key=lambda item: abs(math.log(item[1] / self.wanted)))

    def _seconds(self, transform: Transform, direction: Direction) -> float:
        run = partial(getattr(transform, direction), self.work.operand(direction))
        run()
        timer = timer_of(self.work.device)
        end = time.monotonic() + _TRIAL_S
        times = [timer(run, 1)]
        while len(times) < _TRIALS and time.monotonic() < end:
            times.append(timer(run, 1))
        return min(times)


def error_of(transform: Transform, work: Workload, direction: Direction) -> float:
    """Return the relative l2 error of a transform on a workload."""
    result = getattr(transform, direction)(work.operand(direction))
    return relative_error(result * scale_of(transform, direction), work.exact(direction))


def scale_of(transform: Transform, direction: Direction) -> float:
    """Return what makes a transform's result orthonormal."""
    return transform.scale ** (2 if direction == "normal" else 1)


def _timed(make: Callable[[], Made]) -> tuple[Made, float]:
    start = time.perf_counter()
    made = make()
    return made, 1e3 * (time.perf_counter() - start)
