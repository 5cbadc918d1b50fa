"""Put the scores of several evaluated runs into benchmarks/results/quality.json.

Each argument is `TITLE=RUN`, RUN a folder of `mrirecon train` with what `mrirecon evaluate` wrote
into it; `TITLE=RUN,OTHER` takes the methods that RUN was not scored beside from OTHER, of the same
sampling, and `TITLE=RUN+GAN` adds the result of a run that went on from it as a GAN. Beside each
run lies RUN.time, in which the shell's `time` says `cpu user SECONDS` of its training.

Usage: python benchmarks/quality_scores.py --store STORE.h5 TITLE=RUN ...
"""

import argparse
import csv
import json
import re
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

from mrirecon.data import SliceStore
from mrirecon.evaluation.statistics import bootstrap_interval
from mrirecon.files import atomic_path

RESULT = "network + data consistency"
FIRST = ("zero-filled", "gridding")
METRICS = ("ssim", "psnr_db")
OUT = Path(__file__).with_name("results") / "quality.json"
_ARGUMENT = re.compile(r"(.+?)=([^,+]+)(?:,([^,+]+))?(?:\+([^,+]+))?")
Scores = dict[str, dict[str, dict[str, float]]]
"""Of a method, a metric and a subject."""


def read_scores(run: Path) -> Scores:
    """Read evaluation/subjects.csv of a run, without what the network alone made."""
    scores: Scores = defaultdict(lambda: defaultdict(dict))
    with (run / "evaluation" / "subjects.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for metric in METRICS:
                scores[row["method"]][metric][row["subject"]] = float(row[metric])
    scores.pop("network", None)
    return scores


def training_of(run: Path) -> dict[str, Any]:
    """Say how long a run was trained: steps, and minutes of one core."""
    last = json.loads((run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    told = run.with_name(f"{run.name}.time").read_text(encoding="utf-8")
    found = re.search(r"cpu user ([\d.]+)", told)
    if found is None:
        raise ValueError(f"{run.name}.time: expected 'cpu user SECONDS', got {told!r}")
    return {"run": run.name, "steps": last["step"], "cpu_minutes": float(found[1]) / 60}


def summarise(values: dict[str, float], zero: dict[str, float]) -> dict[str, float]:
    """Give mean, 95 % interval, worst subject, and least gain over `zero` of any subject."""
    interval = bootstrap_interval(list(values.values()))
    return {
        "mean": fmean(values.values()),
        "low": interval.low,
        "high": interval.high,
        "worst": min(values.values()),
        "least_gain": min(values[subject] - zero[subject] for subject in values),
    }


def sampling_of(title: str, run: Path, other: Path | None, gan: Path | None) -> dict[str, Any]:
    """Score the methods of one sampling, the run's result last, and after it its GAN's."""
    scores = read_scores(run)
    if other is not None:
        scores = read_scores(other) | scores
    scores = dict(sorted(scores.items(), key=lambda item: item[0] == RESULT))
    if gan is not None:
        scores["GAN"] = read_scores(gan)[RESULT]
    zero = next(scores[name] for name in FIRST if name in scores)
    return {
        "title": title,
        "training": training_of(run),
        "gan_training": training_of(gan) if gan else None,
        "methods": {
            method: {metric: summarise(by[metric], zero[metric]) for metric in METRICS}
            for method, by in scores.items()
        },
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samplings", nargs="+", metavar="TITLE=RUN[,OTHER][+GAN]")
    parser.add_argument("--store", type=Path, required=True, help="that they were trained on")
    options = parser.parse_args()
    parts = [_ARGUMENT.fullmatch(text) for text in options.samplings]
    if None in parts:
        wrong = options.samplings[parts.index(None)]
        parser.error(f"samplings: expected TITLE=RUN[,OTHER][+GAN], got {wrong!r}")
    with SliceStore(options.store) as store:
        slices = {split: len(store.rows_of(split)) for split in store.splits}
        subjects = {
            split: len(set(store.volumes[list(store.rows_of(split))].tolist()))
            for split in store.splits
        }
    samplings = []
    for title, *folders in (part.groups() for part in parts if part):
        run, other, gan = (Path(folder) if folder else None for folder in folders)
        assert run is not None, "the expression asks for it"
        samplings.append(sampling_of(title, run, other, gan))
    first = Path(parts[0][2])  # type: ignore[index]
    summary = json.loads((first / "evaluation" / "summary.json").read_text(encoding="utf-8"))
    versions = json.loads((first / "versions.json").read_text(encoding="utf-8"))
    text = json.dumps(
        {
            "command": "python benchmarks/quality_scores.py, as docs/quality.md gives it",
            "versions": {name: versions[name] for name in ("mrirecon", "torch", "python")},
            "protocol": summary["test_sets"][0]["protocol"]["name"],
            "subjects": subjects,
            "slices": slices,
            "samplings": samplings,
        },
        indent=1,
    )
    with atomic_path(OUT) as path:
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
