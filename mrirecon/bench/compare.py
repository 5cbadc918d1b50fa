"""What became slower, or needs more memory, between two results of the same cases."""

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from mrirecon.bench.case import OURS
from mrirecon.bench.peers import peer_of
from mrirecon.bench.results import CaseResult, WayResult

Quantity = Literal["time", "memory"]
_LEAST_MIB = 1.0  # below it, what else the process does decides


@dataclass(frozen=True)
class Change:
    """How one of this package's ways changed.

    Attributes:
        case: the suite, the case and the threads.
        way: which of this package's ways.
        quantity: "time" or "memory".
        ratio: new over old, for times after division by what the machine itself changed.
        is_sure: for times: the quartiles do not overlap.
    """

    case: str
    way: str
    quantity: Quantity
    ratio: float
    is_sure: bool


def changes(old: Iterable[CaseResult], new: Iterable[CaseResult]) -> Iterator[Change]:
    """Hold this package's ways against their earlier results, case by case.

    What the machine is now is told by the others: times are divided by the median ratio of the
    ways and floors of the same case that are not this package's, so that a slower day or another
    processor does not count as a slower kernel. Cases of one result alone are passed over.
    """
    before = {_key(case): case for case in old}
    for case in new:
        earlier = before.get(_key(case))
        if earlier is None:
            continue
        machine = _machine_ratio(earlier, case)
        ways = {way.way: way for way in earlier.timed}
        for way in case.timed:
            if peer_of(way.way) == OURS and way.way in ways:
                yield from _changes_of(_label(case), ways[way.way], way, machine)


def slower(found: Iterable[Change], limit: float) -> list[Change]:
    """Return the changes beyond a ratio: times that are sure to be, and memory.

    Args:
        found: of `changes`.
        limit: largest ratio that passes, > 1.

    Returns:
        The worst first.

    Raises:
        ValueError: `limit` is not above 1.
    """
    if not limit > 1:
        raise ValueError(f"limit: expected a ratio above 1, got {limit}")
    worse = [change for change in found if change.ratio > limit and change.is_sure]
    return sorted(worse, key=lambda change: -change.ratio)


def _key(case: CaseResult) -> tuple[str, str, int]:
    return case.suite, case.name, case.threads


def _label(case: CaseResult) -> str:
    threads = "thread" if case.threads == 1 else "threads"
    return f"{case.suite}: {case.name}, {case.threads} {threads}"


def _machine_ratio(old: CaseResult, new: CaseResult) -> float:
    """Return how many times slower the machine is in `new`, by all that is not this package's."""
    before = {way.way: way.median_ms for way in old.rivals} | old.floors_ms
    after = {way.way: way.median_ms for way in new.rivals} | new.floors_ms
    ratios = [
        after[name] / value  # type: ignore[operator]  # a timed way has a median
        for name, value in before.items()
        if value and after.get(name)
    ]
    return statistics.median(ratios) if ratios else 1.0


def _changes_of(case: str, old: WayResult, new: WayResult, machine: float) -> Iterator[Change]:
    assert old.quartiles_ms is not None
    assert new.quartiles_ms is not None
    is_sure = new.quartiles_ms[0] > machine * old.quartiles_ms[2]
    ratio = new.quartiles_ms[1] / (machine * old.quartiles_ms[1])
    yield Change(case, new.way, "time", ratio, is_sure)
    if old.peak_mib is not None and new.peak_mib is not None:
        ratio = (new.peak_mib + _LEAST_MIB) / (old.peak_mib + _LEAST_MIB)
        yield Change(case, new.way, "memory", ratio, is_sure=True)
