"""Every number of the derived tables follows from the rows of scores.csv."""

import csv
import math
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median, stdev

import pytest
from evaluation_cases import make_dataset, make_evaluation
from scipy import stats

from mrirecon.evaluation import (
    Evaluation,
    adjust_p_values,
    write_comparisons_csv,
    write_scores_csv,
    write_statistics_csv,
    write_subjects_csv,
    write_worst_csv,
)

NAMES = ("anna", "bert", "cleo", "dora", "emil", "fred", "gina")
WRITERS = {
    "scores": write_scores_csv,
    "subjects": write_subjects_csv,
    "statistics": write_statistics_csv,
    "comparisons": write_comparisons_csv,
    "worst": write_worst_csv,
}
COLUMNS = {"ssim": "ssim", "psnr": "psnr_db", "nmse": "nmse"}
Rows = list[dict[str, str]]


@pytest.fixture(params=["per_slice", "fastmri"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Rows]:
    """Give every table of an evaluation of seven subjects, in text as it was written."""
    evaluation = make_evaluation(make_dataset(tmp_path, names=NAMES), protocol=request.param)
    return write_all([evaluation], tmp_path)


def write_all(evaluations: list[Evaluation], folder: Path) -> dict[str, Rows]:
    found = {}
    for name, write in WRITERS.items():
        write(evaluations, folder / f"{name}.csv")
        with (folder / f"{name}.csv").open(newline="") as file:
            found[name] = list(csv.DictReader(file))
    return found


def subject_values(scores: Rows, metric: str) -> dict[str, dict[str, float]]:
    """Compute each subject's value by method from the rows of its slices alone."""
    groups: dict[str, dict[str, Rows]] = defaultdict(lambda: defaultdict(list))
    for row in scores:
        groups[row["method"]][row["subject"]].append(row)
    return {
        method: {subject: subject_value(rows, metric) for subject, rows in by_subject.items()}
        for method, by_subject in groups.items()
    }


def subject_value(rows: Rows, metric: str) -> float:
    if metric == "ssim" or rows[0]["protocol"] == "per_slice":
        return fmean(float(row[COLUMNS[metric]]) for row in rows)
    error, energy, n_pixels = (
        math.fsum(float(row[name]) for row in rows)
        for name in ("squared_error", "target_energy", "n_pixels")
    )
    peak = float(rows[0]["data_range"]) ** 2 * n_pixels
    return error / energy if metric == "nmse" else 10 * math.log10(peak / error)


@pytest.mark.parametrize("metric", COLUMNS)
def test_subjects_follow_from_their_slices(tables: dict[str, Rows], metric: str) -> None:
    expected = subject_values(tables["scores"], metric)
    assert len(tables["subjects"]) == len(NAMES) * len(expected)
    for row in tables["subjects"]:
        value = expected[row["method"]][row["subject"]]
        assert float(row[COLUMNS[metric]]) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("metric", COLUMNS)
def test_statistics_follow_from_the_slices(tables: dict[str, Rows], metric: str) -> None:
    values = subject_values(tables["scores"], metric)
    rows = [row for row in tables["statistics"] if row["metric"] == metric]
    assert [row["method"] for row in rows] == list(values)
    for row in rows:
        own = list(values[row["method"]].values())
        assert int(row["n_subjects"]) == len(NAMES)
        assert float(row["mean"]) == pytest.approx(fmean(own), rel=1e-12)
        assert float(row["median"]) == pytest.approx(median(own), rel=1e-12)
        assert float(row["sd"]) == pytest.approx(stdev(own), rel=1e-9)
        assert float(row["mean_low"]) < fmean(own) < float(row["mean_high"])
        assert float(row["median_low"]) <= median(own) <= float(row["median_high"])


@pytest.mark.parametrize("metric", COLUMNS)
def test_comparisons_follow_from_the_slices(tables: dict[str, Rows], metric: str) -> None:
    values = subject_values(tables["scores"], metric)
    rows = [row for row in tables["comparisons"] if row["metric"] == metric]
    assert len(rows) == len(values) - 1
    for row in rows:
        mine, theirs = values[row["method"]], values[row["other"]]
        differences = [mine[name] - theirs[name] for name in NAMES]
        assert float(row["difference"]) == pytest.approx(fmean(differences), rel=1e-9)
        wilcoxon = stats.wilcoxon(differences).pvalue
        assert float(row["p_value"]) == pytest.approx(wilcoxon, rel=1e-9)
        unpaired = stats.mannwhitneyu(list(mine.values()), list(theirs.values())).pvalue
        assert float(row["p_mann_whitney"]) == pytest.approx(unpaired, rel=1e-9)
    adjusted = adjust_p_values([float(row["p_value"]) for row in rows])
    assert [float(row["p_adjusted"]) for row in rows] == adjusted
    assert [float(row["p_adjusted_table"]) for row in rows] == adjusted  # of one cell alone


def test_all_cells_of_a_table_are_one_family(tmp_path: Path) -> None:
    evaluation = make_evaluation(make_dataset(tmp_path, names=NAMES))
    rows = write_all([evaluation, evaluation], tmp_path)["comparisons"]
    for metric in COLUMNS:
        own = [row for row in rows if row["metric"] == metric]
        expected = adjust_p_values([float(row["p_value"]) for row in own])
        assert [float(row["p_adjusted_table"]) for row in own] == expected
        assert sum(expected) > sum(float(row["p_adjusted"]) for row in own)


def test_the_worst_slices_are_listed_with_the_lowest_first(tables: dict[str, Rows]) -> None:
    result = tables["comparisons"][0]["method"]
    own = [row for row in tables["scores"] if row["method"] == result]
    expected = sorted(own, key=lambda row: float(row["ssim"]))[:5]
    assert [(r["subject"], r["slice"], r["ssim"]) for r in tables["worst"]] == [
        (r["subject"], r["slice"], r["ssim"]) for r in expected
    ]
    assert [row["rank"] for row in tables["worst"]] == ["1", "2", "3", "4", "5"]
