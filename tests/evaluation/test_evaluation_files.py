"""The CSV tables and the JSON summary, read back."""

import csv
import json
from pathlib import Path

import pytest
from evaluation_cases import SUBJECTS, make_dataset
from evaluation_cases import make_evaluation as evaluate_small

from mrirecon.evaluation import (
    METHODS,
    aggregate,
    compare_evaluation,
    write_comparisons_csv,
    write_scores_csv,
    write_subjects_csv,
    write_summary_json,
)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_every_slice_score_is_read_back_in_full_precision(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path))
    write_scores_csv([evaluation], tmp_path / "scores.csv")
    rows = read_csv(tmp_path / "scores.csv")
    assert len(rows) == len(evaluation.scores)
    for row, score in zip(rows, evaluation.scores, strict=True):
        assert (row["subject"], row["method"]) == (score.subject, score.method)
        assert (row["test_set"], row["protocol"]) == ("small", "per_slice")
        numbers = (float(row["ssim"]), float(row["psnr_db"]), float(row["nmse"]))
        assert numbers == (score.ssim, score.psnr, score.nmse)


def test_no_psnr_of_a_slice_stands_under_a_protocol_of_volumes(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path), protocol="fastmri")
    write_scores_csv([evaluation], tmp_path / "scores.csv")
    assert {(row["psnr_db"], row["nmse"]) for row in read_csv(tmp_path / "scores.csv")} == {
        ("", "")
    }


def test_every_subject_has_a_row_for_each_method(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path), protocol="fastmri")
    write_subjects_csv([evaluation, evaluation], tmp_path / "subjects.csv")
    rows = read_csv(tmp_path / "subjects.csv")
    expected = [(subject, method) for subject in SUBJECTS for method in METHODS]
    assert [(row["subject"], row["method"]) for row in rows] == expected * 2


def test_every_comparison_is_read_back_in_full_precision(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path), protocol="fastmri")
    write_comparisons_csv([evaluation], tmp_path / "comparisons.csv")
    rows = read_csv(tmp_path / "comparisons.csv")
    assert [(r["metric"], r["other"]) for r in rows] == [
        (metric, other) for metric in ("ssim", "psnr", "nmse") for other in METHODS[:-1]
    ]
    found = compare_evaluation(evaluation)["psnr"][0]
    row = next(r for r in rows if r["metric"] == "psnr")
    assert (float(row["difference"]), float(row["p_adjusted"])) == (
        found.difference,
        found.p_adjusted,
    )
    assert row["method"] == evaluation.methods[-1]


def test_names_with_commas_quotes_and_umlauts_survive(tmp_path: Path) -> None:
    name = 'Müller, "Ä"\n2'
    evaluation = evaluate_small(make_dataset(tmp_path, names=(name,)))
    write_scores_csv([evaluation], tmp_path / "scores.csv")
    assert {row["subject"] for row in read_csv(tmp_path / "scores.csv")} == {name}


def test_summary_holds_the_statistics_and_how_they_were_made(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path))
    write_summary_json([evaluation], tmp_path / "summary.json")
    (entry,) = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["test_sets"]
    expected = aggregate(evaluation.scores)["network"]["psnr"]
    assert entry["statistics"]["network"]["psnr"]["mean"] == expected.mean
    assert entry["protocol"]["name"] == "per_slice"
    assert entry["sampling"]["acceleration"] == 2.5
    assert entry["seed"] == 5


def test_numbers_that_are_not_finite_become_null(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path, names=("anna",)), protocol="fastmri")
    write_summary_json([evaluation], tmp_path / "summary.json")
    (entry,) = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["test_sets"]
    assert entry["statistics"]["network"]["psnr"]["std"] is None  # one subject has no deviation


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path))
    target = tmp_path / "scores.csv"
    target.mkdir()
    with pytest.raises(OSError, match=r"scores\.csv"):
        write_scores_csv([evaluation], target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scores.csv", "store.h5"]
