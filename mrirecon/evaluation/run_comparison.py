"""Hold training runs against one another: settings, validation, speed, and scores of subjects."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

import yaml

from mrirecon.evaluation.methods import base_method
from mrirecon.evaluation.scores import IMAGE
from mrirecon.evaluation.statistics import Comparison, compare_methods
from mrirecon.metrics import HIGHER_IS_BETTER, MetricName
from mrirecon.training import read_records
from mrirecon.training.log import METRICS, SPEED, Record

CONFIG, SUBJECTS = "config.yaml", Path("evaluation") / "subjects.csv"
RESULT = "network + data consistency"
"""The method of a run that is compared."""
COMPARED: dict[MetricName, str] = {"ssim": "ssim", "psnr": "psnr_db"}
"""Metrics, and their columns in subjects.csv."""
_VALIDATION = "validation."


class Curve(NamedTuple):
    """A quantity over training steps."""

    steps: list[int]
    values: list[float]


class TestKey(NamedTuple):
    """What two runs must have in common for their scores to be paired."""

    test_set: str
    protocol: str
    cell: str
    seed: str


@dataclass(frozen=True)
class RunRecord:
    """What a run folder tells.

    Attributes:
        name: tells it apart from the others.
        settings: the configuration, flat: "training.steps" -> "600".
        curves: every logged number, by name; of validations "validation.ssim".
        images_per_second: median over the run; None where nothing was logged.
        peak_memory: [bytes], None where it was not measured.
        subjects: by test: for each subject the result's metrics.
    """

    name: str
    settings: Mapping[str, str]
    curves: Mapping[str, Curve]
    images_per_second: float | None
    peak_memory: int | None
    subjects: Mapping[TestKey, Mapping[str, Mapping[MetricName, float]]] = field(
        default_factory=dict
    )

    @property
    def steps(self) -> int:
        """Steps done."""
        return max((curve.steps[-1] for curve in self.curves.values()), default=0)

    def validation(self, metric: str) -> tuple[float, float, int] | None:
        """Give the final and the best score of the validation, and the best one's step."""
        curve = self.curves.get(_VALIDATION + metric)
        if curve is None:
            return None
        best = max(range(len(curve.values)), key=curve.values.__getitem__)
        return curve.values[-1], curve.values[best], curve.steps[best]


@dataclass(frozen=True)
class TestComparison:
    """Runs on one test: means over the subjects that all were scored on, and paired tests.

    Attributes:
        key: the test.
        n_subjects: that all these runs share.
        means: by run and metric.
        against: of the first of these runs with each other one, by metric.
    """

    __test__ = False  # for pytest: no test, although its name begins like one

    key: TestKey
    n_subjects: int
    means: Mapping[str, Mapping[MetricName, float]]
    against: Mapping[MetricName, Sequence[Comparison]]


def read_runs(paths: Sequence[Path]) -> list[RunRecord]:
    """Read run folders.

    Args:
        paths: two or more; each with a configuration and a log.

    Raises:
        ValueError: fewer than two, one twice, or a file is damaged; names it.
        OSError: no run there.
    """
    resolved = [path.resolve() for path in paths]
    if len(set(resolved)) < 2 or len(set(resolved)) < len(resolved):
        raise ValueError(f"RUN: expected two or more different runs, got {_list(paths)}")
    short = [path.name for path in resolved]
    names = short if len(set(short)) == len(short) else [str(path) for path in paths]
    return [_read_run(path, name) for path, name in zip(paths, names, strict=True)]


def differing_settings(runs: Sequence[RunRecord]) -> dict[str, list[str]]:
    """Give the settings in which runs differ, a value for each run; "" where it has none."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    rows = {key: [run.settings.get(key, "") for run in runs] for key in keys}
    return {key: values for key, values in rows.items() if len(set(values)) > 1}


def compare_runs(runs: Sequence[RunRecord]) -> list[TestComparison]:
    """Compare runs on each test that two or more of them were scored on.

    Subjects that one of these runs was not scored on are left out for all.

    Returns:
        One comparison for each test with a subject in common.
    """
    found = []
    for key in dict.fromkeys(key for run in runs for key in run.subjects):
        own = {run.name: run.subjects[key] for run in runs if key in run.subjects}
        shared = [
            s for s in next(iter(own.values())) if all(s in scores for scores in own.values())
        ]
        if len(own) > 1 and shared:
            found.append(_compare(key, own, shared))
    return found


def _compare(
    key: TestKey,
    own: Mapping[str, Mapping[str, Mapping[MetricName, float]]],
    shared: Sequence[str],
) -> TestComparison:
    against, means = {}, {name: dict[MetricName, float]() for name in own}
    for metric in COMPARED:
        values = {name: {s: scores[s][metric] for s in shared} for name, scores in own.items()}
        for name, by_subject in values.items():
            means[name][metric] = fmean(by_subject.values())
        if all(math.isfinite(v) for by_subject in values.values() for v in by_subject.values()):
            first = next(iter(own))
            against[metric] = compare_methods(
                values, first, higher_is_better=HIGHER_IS_BETTER[metric]
            )
    return TestComparison(key, len(shared), means, against)


def _read_run(path: Path, name: str) -> RunRecord:
    for file in (CONFIG, METRICS):
        if not (path / file).is_file():
            raise FileNotFoundError(f"{path}: expected a run, got no {file}; see mrirecon train")
    records = read_records(path / METRICS)
    speeds = read_records(path / SPEED) if (path / SPEED).is_file() else []
    rates = [r["images_per_second"] for r in speeds if "shares" not in r]
    peaks = [r["peak_memory_bytes"] for r in speeds if r.get("peak_memory_bytes")]
    return RunRecord(
        name=name,
        settings=_read_settings(path / CONFIG),
        curves=_curves(records),
        images_per_second=median(rates) if rates else None,
        peak_memory=max(peaks) if peaks else None,
        subjects=_read_subjects(path / SUBJECTS) if (path / SUBJECTS).is_file() else {},
    )


def _read_settings(path: Path) -> dict[str, str]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected YAML, got {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected keys and values, got {type(values).__name__}")
    return _flatten(values)


def _flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat


def _curves(records: Sequence[Record]) -> dict[str, Curve]:
    curves: dict[str, Curve] = {}
    for record in records:
        for name, value in record.items():
            if name in ("step", "epoch") or isinstance(value, bool | str):
                continue
            curve = curves.setdefault(name, Curve([], []))
            curve.steps.append(record["step"])
            curve.values.append(value)
    return curves


def _read_subjects(path: Path) -> dict[TestKey, dict[str, dict[MetricName, float]]]:
    found: dict[TestKey, dict[str, dict[MetricName, float]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                if base_method(row["method"]) != RESULT or row["region"] != IMAGE:
                    continue
                key = TestKey(row["test_set"], row["protocol"], row["cell"], row["seed"])
                scores = {metric: float(row[column]) for metric, column in COMPARED.items()}
                found.setdefault(key, {})[row["subject"]] = scores
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"{path}, line {number}: expected a row of mrirecon evaluate, got {row}; "
                    "evaluate the run again"
                ) from error
    return found


def _list(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths)) or "none"
