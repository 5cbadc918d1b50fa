"""Tables of the comparison of NUFFTs: ratios to the fastest peer, against what was aimed at."""

from collections.abc import Iterator
from typing import Any

Rows = list[dict[str, Any]]

# Times faster than the fastest peer: forward, adjoint. The aims of the normal operator are those
# of the slower of the two.
BARS = {
    "radial": (1.5, 1.5),
    "batch": (2.5, 2.0),
    "maps": (2.5, 2.0),
    "spiral": (2.5, 2.0),
    "frames": (1.4, 1.4),
    "kooshball": (1.3, 1.3),
}
# Times faster than ducc0 0.42, at 1e-3.
DUCC_BARS = {
    "radial": (2.1, 2.6),
    "batch": (3.0, 2.7),
    "maps": (3.0, 3.0),
    "spiral": (2.9, 2.7),
    "frames": (1.7, 2.0),
}
DIRECTIONS = ("forward", "adjoint", "normal")


def summary(rows: Rows, floor: dict[str, dict[str, float]]) -> str:
    """Give ours, the fastest peer, their ratio and whether it is what was aimed at."""
    lines = [
        "Times are medians in ms, errors relative l2 errors, the floor an FFT of all images on a",
        "grid of 1.25 times their size.",
        "",
        "| workload | accuracy | direction | mrirecon | error | fastest peer | its time | error "
        "| ratio | aim | met | ratio to ducc0 | aim | met | floor: torch, FFTW |",
        "|" + "---|" * 15,
    ]
    for group in _groups(rows):
        ours = next(row for row in group if row["package"] == "mrirecon")
        lines.append(_line(ours, [row for row in group if row is not ours], floor))
    return "\n".join(lines) + "\n"


def details(rows: Rows) -> str:
    """Give every measurement."""
    lines = [
        "\n## Every package\n",
        "| workload | accuracy | direction | package | setting | median, ms | quartiles, ms "
        "| rounds | error | set-up, ms | ratio |",
        "|" + "---|" * 11,
    ]
    for group in _groups(rows):
        ours = next(row for row in group if row["package"] == "mrirecon")["median_ms"]
        for row in group:
            low, high = row["quartiles_ms"]
            lines.append(
                f"| {row['workload']} | {row['accuracy']:.0e} | {row['direction']} | "
                f"{row['package']} | {row['setting']} | {row['median_ms']:.2f} | "
                f"{low:.2f} to {high:.2f} | {row['rounds']} | {row['error']:.1e} | "
                f"{row['setup_ms']:.1f} | {row['median_ms'] / ours:.2f} |"
            )
    return "\n".join(lines) + "\n"


def _groups(rows: Rows) -> Iterator[Rows]:
    """Rows of one workload, accuracy and direction."""
    keys = dict.fromkeys((row["workload"], row["accuracy"], row["direction"]) for row in rows)
    for key in keys:
        yield [r for r in rows if (r["workload"], r["accuracy"], r["direction"]) == key]


def _line(ours: dict[str, Any], rivals: Rows, floor: dict[str, dict[str, float]]) -> str:
    case = ours["case"]
    cells = [ours["workload"], f"{ours['accuracy']:.0e}", ours["direction"]]
    cells += [f"{ours['median_ms']:.2f}", f"{ours['error']:.1e}"]
    best = min(rivals, key=lambda row: row["median_ms"], default=None)
    if best is None:
        cells += ["none installed", "", ""]
    else:
        cells += [best["package"], f"{best['median_ms']:.2f}", f"{best['error']:.1e}"]
    direction = DIRECTIONS.index(ours["direction"])
    aims = (*BARS[case], min(BARS[case]))
    cells += _ratio(ours, best, aims[direction])
    ducc = next((row for row in rivals if row["package"] == "ducc0"), None)
    known = DUCC_BARS.get(case, ()) if ours["accuracy"] == 1e-3 else ()
    cells += _ratio(ours, ducc, known[direction] if direction < len(known) else None)
    cells.append(", ".join(f"{ms:.2f}" for ms in floor[case].values()))
    return f"| {' | '.join(cells)} |"


def _ratio(ours: dict[str, Any], rival: dict[str, Any] | None, aim: float | None) -> list[str]:
    if rival is None:
        return ["", "", ""]
    ratio = rival["median_ms"] / ours["median_ms"]
    if aim is None:
        return [f"{ratio:.2f}", "", ""]
    return [f"{ratio:.2f}", f"{aim:g}", "yes" if ratio >= aim else "no"]
