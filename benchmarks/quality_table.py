"""Put the scores of several evaluated runs into one Markdown table.

Each argument is `TITLE=FOLDER`, FOLDER as `mrirecon evaluate` wrote it; `TITLE=FOLDER+GAN` adds the
result of a second folder, a GAN scored on the same slices, as one more row. The interval is the
BCa bootstrap over subjects; "least gain" is the smallest difference to zero-filled of any subject.

Usage: python benchmarks/quality_table.py "1-D lines=runs/lines/evaluation+runs/gan/evaluation" ...
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean

from mrirecon.evaluation.statistics import bootstrap_interval

RESULT = "network + data consistency"
FIRST = ("zero-filled", "gridding")
METRICS = {"ssim": "ssim", "psnr": "psnr_db"}  # and their columns
DIGITS = {"ssim": 3, "psnr": 2}
Scores = dict[str, dict[str, dict[str, float]]]
"""Of a metric, a method and a subject."""


def read_scores(folder: Path) -> Scores:
    """Read subjects.csv, by metric, method and subject."""
    scores: Scores = {metric: defaultdict(dict) for metric in METRICS}
    with (folder / "subjects.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for metric, column in METRICS.items():
                scores[metric][row["method"]][row["subject"]] = float(row[column])
    return scores


def rows_of(title: str, folders: list[Path]) -> list[str]:
    """Give a table row for each method, the GAN's result last."""
    scores = read_scores(folders[0])
    methods = [method for method in scores["psnr"] if method != "network"]
    for metric in METRICS:
        for folder in folders[1:]:
            scores[metric]["GAN"] = read_scores(folder)[metric][RESULT]
    names = [*methods, *(["GAN"] if folders[1:] else [])]
    return [_row(title if name == names[0] else "", name, scores) for name in names]


def _row(title: str, method: str, scores: Scores) -> str:
    cells = [title, method]
    for metric in METRICS:
        values = scores[metric][method]
        interval, digits = bootstrap_interval(list(values.values())), DIGITS[metric]
        mean = fmean(values.values())
        cells.append(f"{mean:.{digits}f} ({interval.low:.{digits}f} to {interval.high:.{digits}f})")
    first = next(name for name in FIRST if name in scores["psnr"])
    for metric in METRICS:
        values, zero = scores[metric][method], scores[metric][first]
        cells.append(f"{min(values.values()):.{DIGITS[metric]}f}")
        cells.append(f"{min(values[s] - zero[s] for s in values):+.{DIGITS[metric]}f}")
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str]) -> None:
    """Print the table."""
    columns = ["worst SSIM", "least gain", "worst PSNR", "least gain"]
    print(f"| {' | '.join(['sampling', 'method', 'SSIM', 'PSNR [dB]', *columns])} |")
    print("|---|---|---|---|---|---|---|---|")
    for argument in arguments:
        title, folders = argument.split("=", 1)
        print("\n".join(rows_of(title, [Path(folder) for folder in folders.split("+")])))


if __name__ == "__main__":
    main(sys.argv[1:])
