import dataclasses

import pytest

from mrirecon.sampling import (
    CANDIDATES,
    CLINICAL_3T,
    STRATEGIES,
    AcquisitionConfig,
    SamplingConfig,
    SlabConfig,
    TrajectoryConfig,
    check_feasibility,
    make_candidate,
    make_mask,
    summarise,
    summarise_slab,
    summarise_trajectory,
)

SHAPE = (96, 128)
SCAN = AcquisitionConfig(field_of_view=(0.192, 0.256))
EXACT = [
    name
    for name in CANDIDATES
    if name not in ("every_nth", "radial", "stack_of_stars", "kooshball")
    and not name.startswith("fastmri")
]


def candidate(name: str, factor: float = 4, **options: int) -> SamplingConfig | TrajectoryConfig:
    config = make_candidate(name, SHAPE, factor, acquisition=SCAN, profile=CLINICAL_3T, **options)
    assert not isinstance(config, SlabConfig)
    return config


def scan_time_factor(config: SamplingConfig | TrajectoryConfig) -> float:
    if isinstance(config, TrajectoryConfig):
        return summarise_trajectory(config, SHAPE).scan_time_factor
    return summarise(config, make_mask(config, SHAPE, seed=0), SHAPE).scan_time_factor


def test_every_strategy_is_a_candidate() -> None:
    assert set(STRATEGIES) < set(CANDIDATES)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("factor", [2, 4])
def test_all_take_the_scan_time_asked_for(name: str, factor: int) -> None:
    assert scan_time_factor(candidate(name, factor)) == pytest.approx(factor, rel=0.01)


@pytest.mark.parametrize("name", ["stack_of_stars", "kooshball"])
def test_slabs_take_the_scan_time_asked_for_and_a_3d_scan(name: str) -> None:
    """A quarter of 96 lines in each of 10 partitions: 240 spokes, 2.4 s of 10 ms each."""
    slab = dataclasses.replace(SCAN, n_partitions=10, slab_thickness=0.02)
    config = make_candidate(name, SHAPE, 4, acquisition=slab, profile=CLINICAL_3T)
    assert isinstance(config, SlabConfig)
    assert config.n_readouts(10) == 240
    found = check_feasibility(config, SHAPE, slab, CLINICAL_3T)
    assert found.is_playable
    assert found.scan_time == pytest.approx(2.4)
    assert found.full_scan_time == pytest.approx(9.6)
    assert summarise_slab(config, (10, *SHAPE)).scan_time_factor == pytest.approx(4)
    with pytest.raises(ValueError, match=rf"^n_partitions: expected .* above 1, for {name}, got 1"):
        candidate(name)


@pytest.mark.parametrize("name", ["every_nth", "fastmri_equispaced", "fastmri_magic"])
@pytest.mark.parametrize("factor", [2, 4, 7.5])
def test_whole_spacings_are_the_smallest_that_are_fast_enough(name: str, factor: float) -> None:
    config = candidate(name, factor)
    assert isinstance(config, SamplingConfig)
    assert scan_time_factor(config) >= factor
    closer = dataclasses.replace(config, acceleration=config.acceleration - 1)
    assert scan_time_factor(closer) < factor


@pytest.mark.parametrize(
    "name", ["radial", "fastmri_random", "fastmri_equispaced_fraction", "fastmri_magic_fraction"]
)
def test_others_come_near(name: str) -> None:
    assert scan_time_factor(candidate(name)) == pytest.approx(4, rel=0.16)


def test_central_lines_that_take_too_long_are_refused() -> None:
    text = r"^acceleration: expected less for every_nth with its central lines, got 8$"
    with pytest.raises(ValueError, match=text):
        candidate("every_nth", 8, calibration=20)


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_has_a_scan_time_and_can_be_played_in_3d(name: str) -> None:
    scan = AcquisitionConfig(field_of_view=(0.192, 0.256), n_partitions=32)
    config = make_candidate(name, SHAPE, 4, acquisition=scan, profile=CLINICAL_3T)
    found = check_feasibility(config, SHAPE, scan, CLINICAL_3T)
    assert found.problems == ()
    assert 0 < found.scan_time < 0.3 * found.full_scan_time


def test_partial_fourier_keeps_three_quarters_of_the_lines() -> None:
    config = candidate("partial_fourier")
    assert isinstance(config, SamplingConfig)
    mask = make_mask(config, SHAPE, seed=0)
    assert not bool(mask[:32].any())
    assert bool(mask[32:36].any())


def test_calibration_is_passed_on_where_there_is_some() -> None:
    assert candidate("poisson_disc", calibration=12).calibration == 12  # type: ignore[union-attr]
    assert candidate("golden_angle", calibration=12).calibration is None  # type: ignore[union-attr]


def test_spirals_are_designed_for_the_scanner() -> None:
    even, varying = candidate("spiral"), candidate("variable_density_spiral")
    assert isinstance(even, TrajectoryConfig)
    assert isinstance(varying, TrajectoryConfig)
    assert even.design is not None
    assert (even.design.max_slew, even.design.pixel_size) == (CLINICAL_3T.max_slew, 2e-3)
    assert varying.n_samples < even.n_samples


@pytest.mark.parametrize(
    ("name", "factor", "text"),
    [
        ("spirals", 4, r"^strategy: expected one of equispaced, .*, got 'spirals'$"),
        ("spiral", 97, r"^acceleration: expected at most 96, which is one readout, got 97$"),
        ("radial", 97, r"^acceleration: expected at most 96, which is one readout, got 97$"),
        ("random", 0.5, r"^scan_time_factor: expected 1 or more, got 0\.5$"),
        ("random", float("nan"), r"^scan_time_factor: expected 1 or more, got nan$"),
    ],
)
def test_what_is_no_candidate_is_refused(name: str, factor: float, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        candidate(name, factor)
