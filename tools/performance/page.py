"""docs/performance.md: every measured time, ratio, error and floor."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mrirecon.bench import QUIET, SUITES, CaseResult, SuiteResult, WayResult
from mrirecon.bench.case import FASTEST
from performance.text import comma, ms, ratio, table

Results = Mapping[str, SuiteResult]
_TITLES = {"nufft": "NUFFT", "ssim": "SSIM"}

_INTRO = """# How fast it is

Every number here was measured; `make performance` measures them again and writes this page. For
some cases or peers alone: `mrirecon bench`. Two results are compared by `mrirecon bench-compare
OLD NEW`, which names what became slower.

How it is measured: every way of a case is first checked against a result in double precision, and
its error stands in the table. All ways of a case are then timed in one process, mixed in random
order, after runs that warm them up. Times are medians; the spread is what lies between the
quartiles. *x ours* is how many times longer than this package's. *Aims* are ratios for two threads
that were set before the code was written. Memory is how far the process grows while a way runs;
what other processes take, BART or the workers of a loader, is not counted.

The floor is what any way has to do, measured in the same run: a copy that moves as many bytes as
operands and result have; the Fourier transforms or convolutions alone, by a library; additions and
multiplications at the rate of a product of matrices. The highest counts. A time below it means that
this package's own transforms are faster than the library's, or that operands stayed in a cache.

Freed memory is kept for every way, as the commands of this package do
(`mrirecon.native.keep_freed_memory`), up to 32 MiB a block, the most that glibc takes. Larger
blocks go back to the system and are mapped anew each time, which is most of the time of any way
that makes them: the jump of a curve from 32 complex images of 256 x 256 to 64.

Nothing here ran on a GPU: `make gpu-check` does the same there.
"""


def render(results: Results) -> str:
    """Return the page."""
    results = {name: _judged(result) for name, result in results.items()}
    ordered = [name for name in SUITES if name in results]
    parts = [_INTRO, _machine(results), _pictures()]
    parts += [_missed(results)]
    parts += [_suite(name, results[name]) for name in ordered]
    return "\n".join(parts)


def _judged(result: SuiteResult) -> SuiteResult:
    """Leave aims to the cases with most threads, which they were set for."""
    most = max((case.threads for case in result.cases), default=1)
    cases = tuple(c if c.threads == most else replace(c, aims={}) for c in result.cases)
    return replace(result, cases=cases)


def _machine(results: Results) -> str:
    """Say what was measured on, once where it is the same for all suites."""
    lines = ["## The machine\n"]
    facts: dict[str, list[str]] = {}
    for name, result in results.items():
        about = result.about
        text = (
            f"{about['processor']}, {about['cores']} cores, {about['simd']}; {about['system']}, "
            f"Python {about['python']}, compiler {about['compiler']}"
        )
        facts.setdefault(text, []).append(name)
    lines += [f"- {text}: {', '.join(names)}" for text, names in facts.items()]
    versions: dict[str, str] = {}
    for result in results.values():
        versions |= result.about["versions"]
    lines.append(f"- {', '.join(f'{peer} {text}' for peer, text in versions.items())}")
    shares = [c.neighbours for r in results.values() for c in r.cases if c.neighbours is not None]
    if shares:
        lines.append(
            f"- other programs took {max(shares):.0%} of the machine at most while a case was timed"
        )
    return "\n".join(lines) + "\n"


def _pictures() -> str:
    return """## At a glance

![how many times faster than the fastest other package, case by case](performance_ratios.png)

![operations a second over operations a byte, below what the machine can](performance_roofline.png)

![time over size, batch and coils](performance_scaling.png)

![one and two threads](performance_threads.png)
"""


def _missed(results: Results) -> str:
    """List the aims that are not reached: what a reader would otherwise have to search."""
    rows = []
    for case in _cases(results):
        for rival, aim in case.aims.items():
            found = case.ratio_to(rival)
            if found is not None and found < aim:
                rows.append([f"{case.suite}: {case.name}", str(case.threads), rival, ratio(found)])
                rows[-1].append(f"{aim:g}")
    reached = sum(
        (case.ratio_to(rival) or 0) >= aim
        for case in _cases(results)
        for rival, aim in case.aims.items()
    )
    asked = reached + len(rows)
    lines = [f"## Aims\n\n{reached} of {asked} aims are reached. Not reached:\n"]
    return lines[0] + "\n" + table(["case", "threads", "against", "ratio", "aim"], rows)


def _cases(results: Results) -> Iterator[CaseResult]:
    for result in results.values():
        yield from result.cases


def _suite(name: str, result: SuiteResult) -> str:
    document = sys.modules[SUITES[name].__module__].__doc__ or ""
    title = _TITLES.get(name, name.replace("_", " ").capitalize())
    parts = [f"## {title}\n", document.split("\n\n")[0] + "\n"]
    parts.append(f"Command: `{result.about['command']}`\n")
    parts.append(_summary(result.cases))
    parts.append('<details markdown="1"><summary>Every way</summary>\n')
    parts.append(_details(result.cases))
    parts.append("</details>\n")
    return "\n".join(parts)


def _summary(cases: Iterable[CaseResult]) -> str:
    head = ["case", "threads", "mrirecon, ms", "images/s", "fastest other", "its ms", "ratio"]
    head += ["aims", "floor, ms", "x floor"]
    return table(head, [_summary_row(case) for case in cases])


def _summary_row(case: CaseResult) -> list[str]:
    ours, rival = case.ours, next(iter(case.rivals), None)
    row = [case.name, str(case.threads)]
    if ours is None or ours.median_ms is None:
        return [*row, *[""] * 8]
    row += [ms(ours.median_ms), comma(1e3 * case.n_images / ours.median_ms)]
    found = case.ratio_to(FASTEST)
    row += ["none", "", ""] if rival is None else [rival.way, ms(rival.median_ms), ratio(found)]
    row.append("; ".join(_aim(case, rival, aim) for rival, aim in case.aims.items()))
    floor = max(case.floors_ms.items(), key=lambda item: item[1], default=None)
    if floor is None:
        return [*row, "", ""]
    return [*row, f"{ms(floor[1])} ({floor[0]})", ratio(ours.median_ms / floor[1])]


def _aim(case: CaseResult, rival: str, aim: float) -> str:
    found = case.ratio_to(rival)
    name = "" if rival == FASTEST else f"{rival} "
    if found is None:
        return f"{name}{aim:g}, not measured"
    return f"{name}{ratio(found)} of {aim:g}" + ("" if found >= aim else " **missed**")


def _details(cases: Iterable[CaseResult]) -> str:
    head = ["case", "threads", "way", "median, ms", "spread", "x ours", "error", "memory, MiB"]
    head += ["set-up, ms", "how"]
    rows = [_detail(case, way) for case in cases for way in case.ways if not way.is_left_out]
    return table(head, rows)


def _detail(case: CaseResult, way: WayResult) -> list[str]:
    row = [case.name, str(case.threads), way.way]
    if way.quartiles_ms is None:
        return [*row, "", "", "", error(way), "", "", way.note]
    lower, median, upper = way.quartiles_ms
    ours = case.ours.median_ms if case.ours else None
    row += [ms(median), f"{(upper - lower) / median:.0%}", ratio(median / ours) if ours else ""]
    memory = "" if way.peak_mib is None else f"{max(0, way.peak_mib):.0f}"
    disturbed = "disturbed" if (case.neighbours or 0) > QUIET else ""
    how = "; ".join(filter(None, (disturbed, way.setting)))
    return [*row, error(way), memory, ms(way.setup_ms), how]


def error(way: WayResult) -> str:
    """Write the error of a way."""
    return "" if way.error is None else f"{way.error:.1e}"
