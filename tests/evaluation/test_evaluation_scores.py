"""Scores of subjects and their statistics, from slices with known numbers."""

import math
from statistics import fmean, median, stdev

import pytest

from mrirecon.evaluation import (
    METHODS,
    MethodName,
    SliceScore,
    aggregate,
    score_subjects,
    unit_scores,
)
from mrirecon.evaluation.scores import summarise
from mrirecon.metrics import get_protocol


def slice_score(
    subject: str, squared_error: float, *, ssim: float = 0.5, method: MethodName = "network"
) -> SliceScore:
    return SliceScore(
        subject,
        0,
        method,
        ssim=ssim,
        squared_error=squared_error,
        target_energy=50.0,
        n_pixels=100,
    )


def test_a_slice_has_its_own_psnr_and_nmse() -> None:
    score = slice_score("anna", 1.0)
    assert score.psnr == pytest.approx(20.0)  # mean squared error 1/100, range 1
    assert score.nmse == pytest.approx(0.02)


def test_a_blank_slice_has_no_nmse() -> None:
    score = SliceScore(
        "anna", 0, "network", ssim=0.9, squared_error=1.0, target_energy=0.0, n_pixels=100
    )
    assert math.isnan(score.nmse)
    assert score.psnr == pytest.approx(20.0)


def test_fastmri_pools_errors_over_a_subject_before_the_logarithm() -> None:
    scores = [slice_score("anna", 1.0, ssim=0.2), slice_score("anna", 0.01, ssim=0.6)]
    (pooled,) = score_subjects(scores, get_protocol("fastmri"))
    assert pooled.psnr == pytest.approx(10 * math.log10(200 / 1.01))
    assert pooled.nmse == pytest.approx(1.01 / 100)
    assert pooled.ssim == pytest.approx(0.4)
    assert pooled.n_slices == 2


def test_per_slice_averages_a_subjects_slices() -> None:
    scores = [slice_score("anna", 1.0), slice_score("anna", 0.01)]
    (averaged,) = score_subjects(scores, get_protocol("per_slice"))
    assert averaged.psnr == pytest.approx(30.0)  # mean of 20 and 40 dB


def test_subjects_keep_their_order_and_methods_apart() -> None:
    scores = [
        slice_score("zoe", 1.0),
        slice_score("zoe", 0.5, method="zero-filled"),
        slice_score("anna", 0.1),
    ]
    subjects = score_subjects(scores, get_protocol("fastmri"))
    assert [(s.subject, s.method) for s in subjects] == [
        ("zoe", "network"),
        ("zoe", "zero-filled"),
        ("anna", "network"),
    ]


@pytest.mark.parametrize(
    ("protocol", "n"), [("per_slice", 3), ("wang2004", 3), ("reconresnet", 3), ("fastmri", 2)]
)
def test_statistics_count_what_the_protocol_scores(protocol: str, n: int) -> None:
    scores = [slice_score("anna", 1.0), slice_score("anna", 0.5), slice_score("bert", 0.2)]
    units = unit_scores(scores, get_protocol(protocol))
    assert aggregate(units)["network"]["psnr"].n == n


def test_aggregate_gives_mean_median_and_sample_deviation() -> None:
    errors = [1.0, 0.3, 0.1, 0.9]
    scores = [slice_score("anna", error) for error in errors]
    psnrs = [score.psnr for score in scores]
    numbers = aggregate(scores)["network"]["psnr"]
    assert numbers.mean == pytest.approx(fmean(psnrs))
    assert numbers.median == pytest.approx(median(psnrs))
    assert numbers.std == pytest.approx(stdev(psnrs))


def test_aggregate_lists_methods_in_their_fixed_order() -> None:
    scores = [slice_score("anna", 1.0, method=method) for method in reversed(METHODS)]
    assert tuple(aggregate(scores)) == METHODS


def test_one_value_has_no_deviation_and_infinity_leaves_none() -> None:
    assert math.isnan(summarise([3.0]).std)
    infinite = summarise([3.0, math.inf])
    assert infinite.mean == math.inf
    assert math.isnan(infinite.std)
