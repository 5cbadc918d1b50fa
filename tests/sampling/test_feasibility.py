"""Scan times worked by hand, limits that are passed and by how much, and what has to be 3-D."""

import math
from dataclasses import replace

import pytest
import torch

from mrirecon.sampling import (
    STRATEGIES,
    AcquisitionConfig,
    SamplingConfig,
    ScannerProfile,
    TrajectoryConfig,
    check_coords,
    check_feasibility,
    radial_trajectory,
)

# Round numbers: 40 MHz/T, 40 mT/m in 0.4 ms.
SCANNER = ScannerProfile("round", 1, max_gradient=0.04, max_slew=100, gyromagnetic_ratio=40e6)
SLICE = AcquisitionConfig(repetition_time=8e-3, dwell_time=10e-6, field_of_view=(0.25, 0.25))
SLAB = replace(SLICE, n_partitions=40, slab_thickness=0.1)
SHAPE = (128, 100)
LINES = SamplingConfig("equispaced", acceleration=4)


def test_lines_take_one_repetition_each() -> None:
    """25 of 100 lines at 8 ms are 0.2 s instead of 0.8 s; 40 partitions take 40 times as long."""
    found = check_feasibility(LINES, SHAPE, SLICE, SCANNER)
    assert (found.readouts.kind, found.n_excitations) == ("lines", 25)
    assert found.scan_time == pytest.approx(0.2)
    assert found.full_scan_time == pytest.approx(0.8)
    assert found.scan_time_factor == pytest.approx(4)
    slab = check_feasibility(LINES, SHAPE, SLAB, SCANNER)
    assert (slab.scan_time, slab.full_scan_time) == (pytest.approx(8), pytest.approx(32))


def test_rows_are_encoded_where_lines_skip_along_rows() -> None:
    """32 of 128 rows, each read along 100 columns in 1 ms."""
    found = check_feasibility(replace(LINES, axis="rows"), SHAPE, SLICE, SCANNER)
    assert (found.n_excitations, found.full_scan_excitations) == (32, 128)
    assert found.readout_time == pytest.approx(1e-3)


def test_averages_repeat_and_echo_trains_share_excitations() -> None:
    """25 lines in trains of 8 are 4 excitations, two averages 8; the full scan has 13 and 26."""
    acquisition = replace(SLICE, n_averages=2, readouts_per_excitation=8, repetition_time=0.5)
    found = check_feasibility(LINES, SHAPE, acquisition, SCANNER)
    assert (found.n_excitations, found.full_scan_excitations) == (8, 26)
    assert found.scan_time == pytest.approx(4)


def test_points_are_read_along_the_third_axis_of_a_slab() -> None:
    """A quarter of 128 x 100 points at 8 ms: 25.6 s instead of 102.4 s; 40 samples are 0.4 ms."""
    config = SamplingConfig("variable_density_2d", acceleration=4)
    found = check_feasibility(config, SHAPE, SLAB, SCANNER)
    assert (found.readouts.kind, found.n_excitations) == ("points", 3200)
    assert found.scan_time == pytest.approx(25.6)
    assert found.full_scan_time == pytest.approx(102.4)
    assert found.readout_time == pytest.approx(0.4e-3)
    assert found.problems == ()
    assert not found.is_2d_acquirable


def test_points_cannot_be_played_in_two_dimensions() -> None:
    config = SamplingConfig("variable_density_2d", acceleration=4)
    found = check_feasibility(config, SHAPE, SLICE, SCANNER)
    assert len(found.problems) == 1
    assert found.problems[0].startswith("points of a plane need a 3-D scan (n_partitions above 1)")
    assert found.scan_time_factor < 1.1  # a row or column holds a point almost everywhere


def test_the_readout_gradient_follows_from_bandwidth_and_field_of_view() -> None:
    """1 / (0.25 m x 10 us x 40 MHz/T) is 10 mT/m; dwell times from 2.5 us need 40 mT/m."""
    found = check_feasibility(LINES, SHAPE, SLICE, SCANNER)
    assert (found.max_gradient, found.max_slew) == (pytest.approx(0.01), 0)
    assert found.shortest_dwell_time == pytest.approx(2.5e-6)
    assert found.problems == ()
    fast = check_feasibility(LINES, SHAPE, replace(SLICE, dwell_time=2e-6), SCANNER)
    assert fast.problems == (
        "gradient of 50 mT/m is 1.25 times the 40 mT/m of round; "
        "dwell times from 2.5 us can be played",
    )


def test_encoding_and_readout_have_to_fit_the_repetition() -> None:
    """The time of each part, from the edges of k-space at (64, 50) / 0.25 m = (256, 200) / m.

    The ramp to 10 mT/m takes 0.1 ms and covers 20 / m. The lobes go 344.9 and 341.7 / m, which
    takes 0.587 and 0.585 ms, on a raster of 0.01 ms 0.59 each.
    """
    full = SamplingConfig("every_nth", acceleration=1, offset=0)
    found = check_feasibility(full, SHAPE, SLICE, SCANNER)
    expected = 2e-3 + 1.28e-3 + 2 * (0.1e-3 + 0.59e-3)
    assert found.shortest_repetition_time == pytest.approx(expected)
    hasty = check_feasibility(full, SHAPE, replace(SLICE, repetition_time=4e-3), SCANNER)
    assert hasty.problems == (
        "repetition time of 4 ms is 0.66 ms too short: excitation, encoding and readouts take "
        "4.66 ms",
    )


def test_spokes_are_counted_against_lines_of_the_shorter_axis() -> None:
    spokes = TrajectoryConfig(n_readouts=20, n_samples=128)
    found = check_feasibility(spokes, (100, 100), SLICE, SCANNER)
    assert (found.readouts.kind, found.scan_time_factor) == ("spokes", pytest.approx(5))
    assert found.max_gradient == pytest.approx(0.01 * 100 / 128)  # steps of 100 / 128 cycles
    assert found.max_slew == pytest.approx(0, abs=1e-6)
    assert found.problems == ()


def test_a_fast_spiral_says_how_much_slower_it_can_be_played() -> None:
    spiral = TrajectoryConfig("spiral", n_readouts=4, n_samples=512, order="uniform")
    acquisition = replace(SLICE, dwell_time=5e-6, repetition_time=50e-3)
    found = check_feasibility(spiral, (128, 128), acquisition, SCANNER)
    assert [problem.split()[0] for problem in found.problems] == ["gradient", "slew"]
    slower = replace(acquisition, dwell_time=found.shortest_dwell_time)
    assert check_feasibility(spiral, (128, 128), slower, SCANNER).problems == ()
    still_fast = replace(acquisition, dwell_time=found.shortest_dwell_time / 1.01)
    assert check_feasibility(spiral, (128, 128), still_fast, SCANNER).problems != ()


def test_longer_readouts_save_less_than_their_number_says() -> None:
    """Ten interleaves of 8 ms instead of 100 lines of 1 ms, both after 2 ms of excitation.

    Lines begin at (200, 200) / m and end at (196, 200) / m; with the ramp's 20 / m lobes go 302.8
    and 300.03 / m, in 0.56 and 0.55 ms. Interleaves begin in the centre.
    """
    spiral = TrajectoryConfig("spiral", n_readouts=10, n_samples=800, order="uniform")
    found = check_feasibility(spiral, (100, 100), SLICE, SCANNER)
    assert found.scan_time_factor == pytest.approx(10)
    assert found.full_scan_repetition_time == pytest.approx(3e-3 + 0.2e-3 + 1.11e-3)
    assert 10e-3 + 0.1e-3 < found.shortest_repetition_time < 10e-3 + 1.2e-3
    expected = 10 * found.full_scan_repetition_time / found.shortest_repetition_time
    assert found.fastest_scan_time_factor == pytest.approx(expected)
    lines = check_feasibility(LINES, SHAPE, SLICE, SCANNER)
    assert lines.fastest_scan_time_factor == pytest.approx(lines.scan_time_factor)


def test_a_spiral_from_the_centre_starts_at_rest() -> None:
    """Its first step, without turning yet, is half of k-space's width / n_samples in one dwell."""
    spiral = TrajectoryConfig("spiral", n_readouts=1, n_samples=500, n_turns=1e-3)
    found = check_feasibility(spiral, (100, 100), SLICE, SCANNER)
    step = 0.1 / 0.25  # [1/m]
    assert found.max_slew == pytest.approx(step / 40e6 / 10e-6**2, rel=1e-3)
    assert found.readouts.first.gradient == 0


def test_the_description_is_one_line_of_the_most_important() -> None:
    """5 of 100 spokes, each of 128 samples of 10 us, in steps of 100 / 128 cycles per 0.25 m."""
    found = check_feasibility(
        TrajectoryConfig(n_readouts=5, n_samples=128), (100, 100), SLICE, SCANNER
    )
    assert found.describe() == (
        "5 excitations, 0.04 s instead of 0.8 s (/ 20.00), readout 1.28 ms, 7.81 mT/m, 0 T/m/s, "
        "largest jump 83 % of k-space"
    )


def test_receiver_limits_are_named() -> None:
    slow = replace(SCANNER, min_dwell=20e-6, max_samples=100)
    problems = check_feasibility(LINES, SHAPE, SLICE, slow).problems
    assert problems == (
        "dwell time of 10 us is shorter than the 20 us of round",
        "readouts of 128 samples are longer than the 100 of round",
    )


def test_jumps_are_those_between_successive_readouts() -> None:
    """Every fifth line jumps 5 % of k-space; golden spokes turn by 68.75 degrees the short way."""
    fifth = SamplingConfig("every_nth", acceleration=5, calibration=0, offset=0)
    assert check_feasibility(fifth, SHAPE, SLICE, SCANNER).largest_jump == pytest.approx(0.05)
    golden = TrajectoryConfig(n_readouts=3, n_samples=64)
    # Angles of 0, 111.2 and 42.5 degrees: the second spoke is played away from the first.
    expected = math.sin(math.radians(111.246117975 / 2))
    found = check_feasibility(golden, SHAPE, SLICE, SCANNER).largest_jump
    assert found == pytest.approx(expected, rel=1e-6)
    one = TrajectoryConfig(n_readouts=1)
    assert check_feasibility(one, SHAPE, SLICE, SCANNER).largest_jump == 0


def test_points_of_a_slab_are_played_back_and_forth() -> None:
    config = SamplingConfig("variable_density_2d", acceleration=1, calibration=0)
    found = check_feasibility(config, SHAPE, SLAB, SCANNER)
    assert found.largest_jump == pytest.approx(1 / 100)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("acquisition", [SLICE, SLAB])
def test_every_strategy_can_be_checked(strategy: str, acquisition: AcquisitionConfig) -> None:
    config = SamplingConfig(strategy=strategy)  # type: ignore[arg-type]
    found = check_feasibility(config, SHAPE, acquisition, SCANNER)
    assert found.is_playable == (found.is_2d_acquirable or acquisition.is_3d)
    assert 1 <= found.scan_time_factor < 5
    assert found.describe().startswith(f"{found.n_excitations} excitations, ")


def test_own_trajectories_are_checked_like_those_of_a_configuration() -> None:
    config = TrajectoryConfig(n_readouts=7, n_samples=64)
    coords = radial_trajectory(7, 64, SHAPE, dtype=torch.float64).unflatten(0, (7, 64))
    found = check_coords(coords, SHAPE, SLAB, SCANNER)
    expected = check_feasibility(config, SHAPE, SLAB, SCANNER)
    assert replace(found.readouts, kind="spokes") == expected.readouts
    assert found.scan_time == expected.scan_time == pytest.approx(7 * 40 * 8e-3)


def test_readouts_of_a_slab_need_three_dimensions() -> None:
    """A spoke along the slab: 0.1 m and 40 samples are as much gradient as 0.25 m and 100."""
    coords = torch.zeros(1, 40, 3, dtype=torch.float64)
    coords[0, :, 0] = torch.arange(40) - 20
    found = check_coords(coords, (40, *SHAPE), SLAB, SCANNER)
    assert found.max_gradient == pytest.approx(0.025)
    assert (found.n_excitations, found.full_scan_excitations) == (1, 4000)
    (problem,) = check_coords(coords, (40, *SHAPE), replace(SLAB, n_partitions=1), SCANNER).problems
    assert problem == "readouts along three axes need a 3-D scan (n_partitions above 1)"


@pytest.mark.parametrize(
    ("coords", "message"),
    [
        (torch.zeros(4, 2), r"expected \(readouts, samples, 2\) for an .*, got \(4, 2\)"),
        (torch.zeros(1, 4, 3), r"expected \(readouts, samples, 2\) for an .*, got \(1, 4, 3\)"),
        (torch.zeros(1, 1, 2), r"expected one or more readouts of two .*, got \(1, 1\)"),
        (torch.zeros(0, 4, 2), r"expected one or more readouts of two .*, got \(0, 4\)"),
        (torch.full((1, 4, 2), torch.nan), "expected finite values, got NaN or infinity"),
    ],
)
def test_rejects_coordinates_without_readouts(coords: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=f"^coords: {message}$"):
        check_coords(coords, SHAPE, SLICE, SCANNER)
