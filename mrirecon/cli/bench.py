"""`mrirecon bench`: kernels and jobs beside other packages, on this machine."""

import shlex
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.table import Table
from rich.text import Text

from mrirecon.bench import (
    PEERS,
    QUIET,
    SUITES,
    Case,
    CaseResult,
    Options,
    Setup,
    SuiteResult,
    WayResult,
    changes,
    describe,
    is_installed,
    joined,
    measure_all,
    peak_operations,
    read_result,
    read_results,
    slower,
    write_result,
)
from mrirecon.cli.terminal import console, progress_bar, say


def bench(
    suites: Annotated[
        list[str] | None, typer.Argument(metavar="[SUITE ...]", help="Which; all if none is named.")
    ] = None,
    case: Annotated[str, typer.Option(help="Take cases whose name contains this.")] = "",
    peer: Annotated[
        list[str] | None, typer.Option(help="Compare with this package alone; may be repeated.")
    ] = None,
    threads: Annotated[
        list[int] | None, typer.Option(help="Threads of every way; may be repeated.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:1.")] = "cpu",
    seconds: Annotated[float, typer.Option(help="That each way is timed.")] = 0.5,
    minutes: Annotated[float | None, typer.Option(help="Begin no case after so many.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for SUITE.json.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Name cases and peers.")] = False,
) -> None:
    """Time kernels and jobs beside other packages: right first, then in turn, beside floors.

    Every way of a case is checked against a result in double precision before it is timed. All
    are timed in one run, in random order; medians are compared. What other programs take of the
    machine meanwhile is measured and said.
    """
    chosen = _choose(suites or [], peer or [])
    job = _Job(
        device=_device(device),
        threads=_threads(threads or [torch.get_num_threads()]),
        text=case,
        seconds=seconds,
        peers=frozenset(peer or []),
        end=None if minutes is None else time.monotonic() + 60 * minutes,
        out=out,
    )
    if not any(job.cases(name, job.threads[0]) for name in chosen):
        raise ValueError(f"case: expected a part of a name that --list gives, got {case}")
    if list_only:
        _list(chosen, job)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # packages deprecate what they use
        failed = [failure for name in chosen for failure in _run(name, job)]
    if failed:
        say("mrirecon is not right in: " + "; ".join(failed))
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Job:
    """What is asked for; see the options."""

    device: torch.device
    threads: list[int]
    text: str
    seconds: float
    peers: frozenset[str]
    end: float | None
    out: Path | None

    def cases(self, suite: str, threads: int) -> list[Case]:
        """Return the cases of a suite that are asked for."""
        setup = Setup(self.device, threads)
        return [each for each in SUITES[suite](setup) if self.text in each.name]


def bench_compare(
    old: Annotated[Path, typer.Argument(help="Earlier result: a file, or a folder of them.")],
    new: Annotated[Path, typer.Argument(help="Later result of the same cases.")],
    limit: Annotated[float, typer.Option(help="Largest ratio that passes.")] = 1.15,
) -> None:
    """Name what became slower, or takes more memory, from one result to a later one.

    Times are divided by what the other packages' ways and the floors of the same case changed by,
    so that results of two days, or two machines, can be compared.
    """
    found = list(changes(_cases_of(old), _cases_of(new)))
    if not found:
        raise ValueError(f"{new}: expected cases of {old}, got none of them")
    worse = slower(found, limit)
    for change in worse:
        more = "slower" if change.quantity == "time" else "more memory"
        say(f"{change.case} ({change.way}): {change.ratio:.2f} times, {more}")
    say(f"{len(found)} compared, {len(worse)} worse than {limit:g} times")
    if worse:
        raise typer.Exit(1)


def _choose(suites: list[str], peers: list[str]) -> list[str]:
    """Return the suites that are asked for.

    Raises:
        ValueError: no suite or peer has such a name.
    """
    for kind, asked, known in (("suite", suites, SUITES), ("peer", peers, PEERS)):
        for name in asked:
            if name not in known:
                raise ValueError(f"{kind}: expected one of {', '.join(known)}; got {name}")
    return suites or list(SUITES)


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device: expected cpu or cuda, got {name}") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device: {name} needs a GPU that torch can use; there is none")
    return device


def _threads(counts: list[int]) -> list[int]:
    for count in counts:
        if count < 1:
            raise ValueError(f"threads: expected at least 1, got {count}")
    return counts


def _list(suites: Iterable[str], job: _Job) -> None:
    for name in suites:
        for case in job.cases(name, job.threads[0]):
            say(f"{name}: {case.name}")
    missing = [peer for peer in PEERS if not is_installed(peer)]
    say(f"not installed: {', '.join(missing) or 'none'}")


def _run(suite: str, job: _Job) -> Iterator[str]:
    """Measure a suite, print and keep its results; yield the cases in which mrirecon is wrong."""
    about = describe(job.device, shlex.join(["mrirecon", *sys.argv[1:]]))
    done: list[CaseResult] = []
    for result in _measured(suite, job):
        done.append(result)
        _print(result)
        if job.out is not None:
            write_result(SuiteResult(about, tuple(done)), job.out / f"{suite}.json")
        if result.ours is None and not any(way.is_left_out for way in result.ways):
            yield f"{suite}: {result.name}"


def _measured(suite: str, job: _Job) -> Iterator[CaseResult]:
    for threads in job.threads:
        cases = job.cases(suite, threads)
        if not cases:
            continue
        torch.set_num_threads(threads)
        peak = peak_operations(job.device)
        options = Options(job.device, threads, job.seconds, job.peers, peak)
        with progress_bar(f"{suite}, {threads} threads") as bar:
            yield from bar.track(measure_all(cases, options, job.end), total=len(cases))


def _print(result: CaseResult) -> None:
    """Print a case: its ways, the fastest first, and the floors; spread is between quartiles."""
    table = Table(title=Text(f"{result.suite}: {result.name}, {result.threads} threads"))
    table.add_column("way", no_wrap=True)
    for heading in ("median", "spread", "x ours", "error", "MiB"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("note")
    ours = result.ours.median_ms if result.ours else None
    for way in sorted(result.ways, key=lambda way: way.median_ms or float("inf")):
        table.add_row(*map(Text, _cells(way, ours)))
    for name, value in result.floors_ms.items():
        times = f"{value / ours:.2f}" if ours else ""
        table.add_row(f"floor: {name}", _milliseconds(value), "", times, style="dim")
    console.print(table)
    if result.neighbours is not None and result.neighbours > QUIET:
        say(f"disturbed: other programs took {result.neighbours:.0%} of the machine meanwhile")


def _cells(way: WayResult, ours: float | None) -> tuple[str, ...]:
    error = "" if way.error is None else f"{way.error:.1e}"
    memory = "" if way.peak_mib is None else f"{way.peak_mib:.0f}"
    if way.quartiles_ms is None:
        return way.way, "", "", "", error, memory, way.note
    lower, median, upper = way.quartiles_ms
    times = f"{median / ours:.2f}" if ours else ""
    spread = f"{(upper - lower) / median:.0%}"
    return way.way, _milliseconds(median), spread, times, error, memory, way.setting


def _milliseconds(value: float) -> str:
    """Write three digits, never an exponent."""
    return f"{value:,.0f} ms" if value >= 1000 else f"{value:.3g} ms"


def _cases_of(path: Path) -> list[CaseResult]:
    if path.is_dir():
        return joined(read_results(path).values())
    return list(read_result(path).cases)
