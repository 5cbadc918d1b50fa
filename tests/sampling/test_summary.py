import pytest
import torch

from mrirecon.sampling import SamplingConfig, full_mask, make_mask, summarise


def test_summary_counts_lines() -> None:
    config = SamplingConfig(strategy="every_nth", acceleration=4, calibration=10, offset=0)
    summary = summarise(config, make_mask(config, (200, 256), seed=1), (200, 256))
    assert summary.kind == "lines"
    assert summary.n_readouts == 71
    assert summary.n_samples == 71 * 200
    assert summary.acceleration == pytest.approx(256 / 71)
    assert summary.scan_time_factor == pytest.approx(256 / 71)
    assert summary.calibration == 10
    assert summary.largest_gap == 3
    assert summary.describe() == (
        "71 lines, 27.7 % measured, acceleration 3.61, 10 central lines, largest gap 3, "
        "scan time / 3.61"
    )


def test_the_gap_before_the_first_and_after_the_last_line_counts() -> None:
    config = SamplingConfig(strategy="random")
    for text, gap in [("0001010", 3), ("0101000", 3), ("1111111", 0), ("1000011", 4)]:
        mask = torch.tensor([digit == "1" for digit in text])
        assert summarise(config, mask, (5, 7)).largest_gap == gap


def test_lines_along_rows_are_counted_along_rows() -> None:
    config = SamplingConfig(strategy="equispaced", axis="rows", calibration=4)
    summary = summarise(config, make_mask(config, (64, 32), seed=1), (64, 32))
    assert (summary.n_readouts, summary.n_samples, summary.calibration) == (16, 16 * 32, 4)


def test_points_save_time_by_their_number_in_3d() -> None:
    config = SamplingConfig(strategy="variable_density_2d", acceleration=5, calibration=6, power=0)
    summary = summarise(config, make_mask(config, (40, 50), seed=1), (40, 50))
    assert (summary.kind, summary.n_readouts, summary.n_samples) == ("points", 400, 400)
    assert summary.scan_time_factor == summary.acceleration == 5
    assert summary.calibration == 6
    assert summary.largest_gap is None
    assert summary.describe().endswith("full 6 x 6 centre, scan time / 5.00 (3-D)")


def test_spokes_are_counted_against_full_cartesian_lines() -> None:
    config = SamplingConfig(strategy="golden_angle", acceleration=8)
    mask = make_mask(config, (96, 128), seed=1)
    summary = summarise(config, mask, (96, 128))
    assert summary.kind == "spokes"
    assert summary.scan_time_factor == 96 / summary.n_readouts
    assert summary.n_samples == int(mask.sum())


@pytest.mark.parametrize("shape", [(10,), (9, 1), (1, 10), (10, 8)])
def test_a_mask_of_the_wrong_length_is_refused(shape: tuple[int, ...]) -> None:
    text = r"^mask: expected bool, \(cols,\) = \(10,\), .* \(8, 10\), got torch\.bool "
    if shape == (10,):
        assert full_mask(torch.ones(shape, dtype=torch.bool), (8, 10)).shape == (8, 10)
    else:
        with pytest.raises(ValueError, match=text):
            full_mask(torch.ones(shape, dtype=torch.bool), (8, 10))


def test_a_mask_of_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^mask: expected bool, .* got torch\.float32 \(10,\)$"):
        full_mask(torch.ones(10), (8, 10))
