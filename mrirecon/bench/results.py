"""What was measured, and the files it is kept in: one JSON file for each suite and device."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from mrirecon.bench.case import FASTEST, OURS
from mrirecon.bench.peers import peer_of
from mrirecon.files import atomic_path

LEFT_OUT = "left out: no time was left"


@dataclass(frozen=True)
class WayResult:
    """One way of a case. Without times, `note` says why.

    Attributes:
        way: its name.
        setting: how it is tuned.
        error: relative l2 error against what is right.
        setup_ms: what planning it took.
        quartiles_ms: lower quartile, median, upper quartile.
        n_samples: samples they are of.
        peak_mib: how far memory rises while it runs.
        note: why there are no times.
    """

    way: str
    setting: str = ""
    error: float | None = None
    setup_ms: float | None = None
    quartiles_ms: tuple[float, float, float] | None = None
    n_samples: int = 0
    peak_mib: float | None = None
    note: str = ""

    @property
    def is_left_out(self) -> bool:
        """Whether there was no time for it."""
        return self.note == LEFT_OUT

    @property
    def median_ms(self) -> float | None:
        """Median time."""
        return None if self.quartiles_ms is None else self.quartiles_ms[1]


@dataclass(frozen=True)
class CaseResult:
    """A case with all its ways; see `Case` and `Floors` for what has the same name there.

    Attributes:
        floors_ms: by kind, "bytes", "operations" and "transforms".
        neighbours: share of the machine that other processes took meanwhile.
    """

    suite: str
    name: str
    threads: int
    tolerance: float
    ways: tuple[WayResult, ...]
    aims: dict[str, float]
    floors_ms: dict[str, float]
    n_bytes: int = 0
    n_operations: float = 0.0
    n_images: int = 0
    curve: str = ""
    at: float = 0.0
    neighbours: float | None = None

    @property
    def ours(self) -> WayResult | None:
        """This package's way, if it was timed."""
        return next((way for way in self.timed if way.way == OURS), None)

    @property
    def timed(self) -> list[WayResult]:
        """The ways that were right and were timed."""
        return [way for way in self.ways if way.quartiles_ms is not None]

    @property
    def rivals(self) -> list[WayResult]:
        """The timed ways of other packages, the fastest first."""
        others = [way for way in self.timed if peer_of(way.way) != OURS]
        return sorted(others, key=lambda way: way.median_ms or 0.0)

    @property
    def floor_ms(self) -> float | None:
        """The highest floor."""
        return max(self.floors_ms.values(), default=None)

    def ratio_to(self, rival: str) -> float | None:
        """Return how many times faster ours is than a way, a peer's fastest, or the fastest."""
        ours = self.ours
        found = [w for w in self.rivals if rival in (FASTEST, w.way, peer_of(w.way))]
        if ours is None or not found or not found[0].median_ms or not ours.median_ms:
            return None
        return found[0].median_ms / ours.median_ms


@dataclass(frozen=True)
class SuiteResult:
    """All cases of a suite, and what they were measured on."""

    about: dict[str, Any]
    cases: tuple[CaseResult, ...]


_SUITE = TypeAdapter(SuiteResult)


def write_result(result: SuiteResult, path: Path) -> None:
    """Write a result as JSON; the file is whole or as it was."""
    text = json.dumps(rounded(asdict(result)), indent=1)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_result(path: Path) -> SuiteResult:
    """Read a result.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, or no result of `mrirecon bench`.
    """
    try:
        return _SUITE.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = f"{place}: {first['msg']}" if place else first["msg"]
        raise ValueError(f"{path}: expected a result of `mrirecon bench`; {reason}") from error


def read_results(folder: Path) -> dict[str, SuiteResult]:
    """Read every result in a folder, by the name of its file."""
    found = {path.stem: path for path in sorted(folder.glob("*.json"))}
    return {name: read_result(path) for name, path in found.items() if is_result(path)}


def is_result(path: Path) -> bool:
    """Return whether a JSON file calls itself a result, be it damaged or not."""
    return '"cases":' in path.read_text(encoding="utf-8")


def rounded(value: Any) -> Any:
    """Keep four digits of every number of a tree: more are noise, and make differences long."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def joined(results: Iterable[SuiteResult]) -> list[CaseResult]:
    """Return the cases of several results."""
    return [case for result in results for case in result.cases]
