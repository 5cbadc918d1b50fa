"""Scores as text: digits, signs, the best mean, and what is counted."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from evaluation_cases import make_dataset
from evaluation_cases import make_evaluation as evaluate_small

from mrirecon.evaluation import METHODS, aggregate, compare_evaluation, summarise_checks
from mrirecon.report.tables import (
    check_rows,
    comparison_rows,
    format_number,
    gain,
    metric_values,
    score_table,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12345, "0.123"),
        (-2.0, "\N{MINUS SIGN}2.000"),
        (math.inf, "\N{INFINITY}"),
        (-math.inf, "\N{MINUS SIGN}\N{INFINITY}"),
        (math.nan, "\N{EN DASH}"),
    ],
)
def test_numbers_are_written_for_readers(value: float, text: str) -> None:
    assert format_number(value, 3) == text


@pytest.mark.parametrize(
    ("value", "text"), [(31.0, "+1.00"), (29.5, "\N{MINUS SIGN}0.50"), (30.0, "0.00")]
)
def test_a_gain_carries_its_sign(value: float, text: str) -> None:
    assert gain(value, 30.0) == text


def test_a_row_holds_the_statistics_of_its_method(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path))
    table = score_table(evaluation)
    assert [row.method for row in table.rows] == list(METHODS)
    assert (table.n, table.unit) == (6, "slices")
    expected = aggregate(evaluation.scores)["network"]["ssim"]
    cell = table.rows[METHODS.index("network")].cells["ssim"]
    texts = [f"{value:.4f}" for value in (expected.mean, expected.std, expected.median)]
    assert [cell.mean, cell.std, cell.median] == texts


def test_the_best_mean_is_the_highest_ssim_and_psnr_and_the_lowest_nmse(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path))
    statistics = aggregate(evaluation.scores)
    choices = {"ssim": max, "psnr": max, "nmse": min}
    for row in score_table(evaluation).rows:
        for metric, choose in choices.items():
            best = choose(METHODS, key=lambda method, m=metric: statistics[method][m].mean)
            assert row.cells[metric].is_best == (row.method == best)


def test_the_result_is_compared_with_every_other_method(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path))
    rows = comparison_rows(compare_evaluation(evaluation))
    assert [row.other for row in rows] == list(METHODS[:-1])
    found = compare_evaluation(evaluation)["psnr"][0]
    cell = rows[0].cells["psnr"]
    assert rows[0].better == f"{compare_evaluation(evaluation)['ssim'][0].n_better} of 2"
    assert cell.difference == gain(found.difference, 0.0)
    assert cell.p_value == "1.000"  # two subjects: 0.5 at best, times three comparisons
    assert cell.is_worse == found.is_worse


def test_a_method_that_loses_is_marked(tmp_path: Path) -> None:
    """The result is put in the place of a method that it must lose to."""
    evaluation = evaluate_small(make_dataset(tmp_path))
    last = evaluation.methods[-1]
    spoilt = [
        replace(s, ssim=-1.0, squared_error=1e5) if s.method == last else s
        for s in evaluation.scores
    ]
    rows = comparison_rows(compare_evaluation(replace(evaluation, scores=spoilt)))
    assert all(cell.is_worse for row in rows for cell in row.cells.values())


def test_one_subject_is_compared_with_nothing(tmp_path: Path) -> None:
    assert (
        comparison_rows(compare_evaluation(evaluate_small(make_dataset(tmp_path, names=("anna",)))))
        == []
    )


def test_equal_images_leave_psnr_out_of_the_comparison(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path))
    perfect = [replace(score, squared_error=0.0) for score in evaluation.scores]
    assert (
        "psnr"
        not in comparison_rows(compare_evaluation(replace(evaluation, scores=perfect)))[0].cells
    )


def test_gain_is_the_difference_to_zero_filled_in_decibels(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path))
    psnr = {method: by["psnr"].mean for method, by in aggregate(evaluation.scores).items()}
    rows = score_table(evaluation).rows
    assert rows[0].gain_db == ""
    assert rows[-1].gain_db == gain(psnr["network + data consistency"], psnr["zero-filled"])


def test_the_volume_protocol_counts_subjects(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path), protocol="fastmri")
    table = score_table(evaluation)
    assert (table.n, table.unit) == (2, "subjects")
    assert len(metric_values(evaluation, "psnr")["network"]) == 2


def test_an_interval_is_of_subjects_and_left_out_for_one(tmp_path: Path) -> None:
    for names, is_there in ((("anna", "bert"), True), (("anna",), False)):
        folder = tmp_path / "-".join(names)
        folder.mkdir()
        evaluation = evaluate_small(make_dataset(folder, names=names))
        cell = score_table(evaluation).rows[0].cells["ssim"]
        assert bool(cell.interval) == is_there
        if is_there:
            low, high = (float(end) for end in cell.interval.split(" to "))
            assert low <= cell.value <= high


def test_honesty_checks_are_laid_out_by_method(tmp_path: Path) -> None:
    evaluation = evaluate_small(make_dataset(tmp_path))
    rows = check_rows(evaluation)
    assert [row.method for row in rows] == list(evaluation.methods)
    expected = summarise_checks(evaluation)["network"].residual
    assert expected is not None
    assert rows[evaluation.methods.index("network")].residual == f"{100 * expected:.2f} %"
    unchecked = [
        replace(s, residual=None, invented=None, change=None, alignment=None)
        for s in evaluation.scores
    ]
    assert check_rows(replace(evaluation, scores=unchecked)) == []
