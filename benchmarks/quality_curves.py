"""Draw the training of several runs: the error that is learned from, and PSNR of validation.

Usage: python benchmarks/quality_curves.py --out CURVES.png TITLE=RUN ...
"""

import argparse
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt

SMOOTHED = 50  # steps of a running mean: a batch of two slices says little


def read_log(run: Path, key: str) -> tuple[list[int], list[float]]:
    """Give steps and values of one key of a run's log."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    found = [(entry["step"], entry[key]) for entry in map(json.loads, lines) if key in entry]
    return [step for step, _ in found], [value for _, value in found]


def main() -> None:
    """Draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="TITLE=RUN")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), dpi=90)
    for argument in options.runs:
        title, run = argument.split("=", 1)
        steps, errors = read_log(Path(run), "l1")
        width = min(SMOOTHED, len(errors))
        mean = np.convolve(errors, np.ones(width) / width, mode="valid")
        left.plot(steps[width - 1 :], mean, label=title)
        right.plot(*read_log(Path(run), "validation.psnr"), marker="o", label=title)
    left.set_ylabel(f"mean absolute error, over {SMOOTHED} steps")
    left.set_yscale("log")
    right.set_ylabel("PSNR of the validation [dB]")
    for axis in (left, right):
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
    right.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(options.out)


if __name__ == "__main__":
    main()
