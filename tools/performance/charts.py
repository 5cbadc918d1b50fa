"""Pictures of the results: ratios, roofline, scaling, threads."""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from mrirecon.bench import CaseResult, SuiteResult, WayResult, peer_of
from mrirecon.bench.case import FASTEST, OURS

Results = Mapping[str, SuiteResult]

_OURS, _OTHERS, _AIM = "#0b6e4f", "#8a8f98", "#c0392b"
_COLOURS = ("#4c72b0", "#dd8452", "#8172b3", "#937860", "#da8bc3", "#64b5cd")
_MARKS = "os^Dv<>Ph*X"


def draw_ratios(results: Results, path: Path) -> None:
    """Draw how many times faster than the fastest other way each case with an aim is."""
    cases = [c for c in _cases(results) if c.aims and c.ratio_to(FASTEST) is not None]
    cases = [case for case in cases if case.threads == max(c.threads for c in cases)]
    figure = Figure(figsize=(9, 1.2 + 0.24 * len(cases)), layout="constrained")
    axes = figure.subplots()
    for place, case in enumerate(reversed(cases)):
        found, aim = case.ratio_to(FASTEST), case.aims.get(FASTEST)
        assert found is not None
        axes.barh(place, found, color=_OURS, height=0.7)
        end = 1.03 * max(found, aim or 0.0)
        axes.text(end, place, f"{found:.1f}  {case.rivals[0].way}", va="center", size=7)
        if aim is not None:
            axes.plot([aim, aim], [place - 0.45, place + 0.45], color=_AIM, lw=2)
    _name_rows(axes, [f"{case.suite}: {case.name}" for case in reversed(cases)])
    axes.set_xscale("log")
    axes.set_xlim(0.5, 6 * max((c.ratio_to(FASTEST) or 1 for c in cases), default=1))
    axes.axvline(1, color="black", lw=0.8)
    _plain_numbers(axes, y=False)
    axes.set_title("Times faster than the fastest other way (red: aimed at)", size=10)
    _save(figure, path)


def draw_roofline(results: Results, path: Path) -> None:
    """Draw operations a second over operations a byte, below the machine's two limits."""
    cases = [c for c in _cases(results) if c.ours and c.n_bytes and c.n_operations]
    threads = max((case.threads for case in cases), default=1)
    cases = [case for case in cases if case.threads == threads]
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    peaks = [c.n_operations / c.floors_ms["operations"] / 1e6 for c in cases]
    if cases:
        peak, speed = max(peaks), _bandwidth(max(cases, key=lambda case: case.n_bytes))
        span = [0.1, 300]
        corner = peak / speed
        axes.plot([span[0], corner, span[1]], [speed * span[0], peak, peak], color="black", lw=1)
        axes.text(corner * 1.5, peak * 1.1, f"{peak:,.0f} Gop/s: a product of matrices", size=8)
        axes.text(span[0] * 1.1, speed * span[0] * 1.6, f"{speed:.0f} GB/s: a copy", size=8)
    names = dict.fromkeys(case.suite for case in cases)
    for (suite, mark), colour in zip(
        zip(names, _MARKS, strict=False), (*_COLOURS, *_COLOURS), strict=False
    ):
        own = [case for case in cases if case.suite == suite]
        x = [case.n_operations / case.n_bytes for case in own]
        y = [case.n_operations / (_ms(case.ours) * 1e6) for case in own]
        axes.plot(x, y, mark, color=colour, label=suite, ms=5, alpha=0.8)
    axes.set(xscale="log", yscale="log", xlabel="operations a byte", ylabel="Gop/s")
    if cases:
        axes.legend(fontsize=8, loc="lower right")
    axes.set_title(
        "mrirecon's kernels, least bytes and operations; above a line: in a cache", size=10
    )
    _save(figure, path)


def draw_scaling(results: Results, path: Path) -> None:
    """Draw the time of every way over the size in which the cases of a curve differ."""
    curves: dict[str, list[CaseResult]] = {}
    most = max((case.threads for case in _cases(results) if case.curve), default=1)
    for case in _cases(results):
        if case.curve and case.threads == most:
            curves.setdefault(f"{case.curve}, {_threads(case)}", []).append(case)
    columns = 2
    rows = max(1, -(-len(curves) // columns))
    figure = Figure(figsize=(9, 3.1 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, cases) in zip(grid, curves.items(), strict=False):
        ways = dict.fromkeys(way.way for case in cases for way in case.timed)
        for place, way in enumerate(sorted(ways, key=lambda way: way != OURS)):
            points = sorted((c.at, _ms(w)) for c in cases for w in c.timed if w.way == way)
            is_ours = peer_of(way) == OURS
            colour = _OURS if is_ours else _COLOURS[place % len(_COLOURS)]
            axes.plot(*zip(*points, strict=True), marker=_MARKS[place % len(_MARKS)], ms=3,
                      lw=2 if is_ours else 1, color=colour, label=way)  # fmt: skip
        axes.set(xscale="log", yscale="log", ylabel="ms")
        axes.set_title(textwrap.fill(name, 54), size=9)
        sizes = sorted({case.at for case in cases})
        axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
        axes.xaxis.set_minor_formatter(NullFormatter())
        _plain_numbers(axes, x=False)
        axes.legend(fontsize=6)
    for axes in grid[len(curves) :]:
        axes.set_axis_off()
    _save(figure, path)


def draw_threads(results: Results, path: Path) -> None:
    """Draw how many times faster two threads are than one, ours and the fastest other way."""
    pairs = list(_by_threads(results))
    figure = Figure(figsize=(9, 1.2 + 0.24 * len(pairs)), layout="constrained")
    axes = figure.subplots()
    for place, (_, ours, other) in enumerate(reversed(pairs)):
        axes.plot([ours], [place], "o", color=_OURS, label="mrirecon" if not place else None)
        if other is not None:
            label = "the fastest other way" if not place else None
            axes.plot([other], [place], "s", color=_OTHERS, label=label, ms=4)
        axes.axhline(place, color="#eeeeee", lw=0.5, zorder=0)
    _name_rows(axes, [name for name, _, _ in reversed(pairs)])
    axes.axvline(1, color="black", lw=0.8)
    axes.axvline(2, color="black", lw=0.8, ls=":")
    if pairs:
        axes.legend(fontsize=8)
    axes.set_title("Times faster on two threads than on one", size=10)
    _save(figure, path)


def _by_threads(results: Results) -> Iterator[tuple[str, float, float | None]]:
    known = {(c.suite, c.name, c.threads): c for c in _cases(results) if c.ours and not c.curve}
    for (suite, name, threads), one in known.items():
        two = known.get((suite, name, 2))
        if threads != 1 or two is None:
            continue
        others = {way.way: _ms(way) for way in one.rivals}
        common = [way for way in two.rivals if way.way in others]
        other = others[common[0].way] / _ms(common[0]) if common else None
        yield f"{suite}: {name}", _ms(one.ours) / _ms(two.ours), other


def _cases(results: Results) -> Iterator[CaseResult]:
    for result in results.values():
        yield from result.cases


def _threads(case: CaseResult) -> str:
    return "one thread" if case.threads == 1 else f"{case.threads} threads"


def _ms(way: WayResult | None) -> float:
    assert way is not None
    assert way.median_ms is not None
    return way.median_ms


def _bandwidth(case: CaseResult) -> float:
    """Return what a copy of as many bytes reached [GB/s]."""
    return case.n_bytes / case.floors_ms["bytes"] / 1e6


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names, size=7)
    axes.set_ylim(-0.8, len(names) - 0.2)


def _plain_numbers(axes: Axes, *, x: bool = True, y: bool = True) -> None:
    for axis in [axes.xaxis] * x + [axes.yaxis] * y:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def _save(figure: Figure, path: Path) -> None:
    """Write a picture whose bytes depend on what it shows alone."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110, metadata={"Software": None})


Draw = Callable[[Results, Path], None]
CHARTS: dict[str, Draw] = {
    "performance_ratios.png": draw_ratios,
    "performance_roofline.png": draw_roofline,
    "performance_scaling.png": draw_scaling,
    "performance_threads.png": draw_threads,
}
