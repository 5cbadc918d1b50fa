"""Stacks of stars and kooshballs: their directions, their density, and who can play them."""

import math

import pytest
import torch
from density_cases import assert_keeps_a_constant
from torch import Tensor

from mrirecon.sampling import (
    CLINICAL_3T,
    AcquisitionConfig,
    check_coords,
    kooshball,
    kooshball_density,
    radial_trajectory,
    stack_of_stars,
    stack_of_stars_density,
)

SHAPE = (4, 24, 32)


def star_angles(rotation: str) -> Tensor:
    """Angle of each spoke of each partition, [degrees], (4, 5), in k-space as wide as high."""
    coords = stack_of_stars(
        5, 8, (4, 16, 16), order="uniform", rotation=rotation, dtype=torch.float64
    )
    row, col = coords.unflatten(0, (4, 5, 8))[:, :, -1, 1:].unbind(-1)
    return torch.rad2deg(torch.atan2(row, col))


def test_an_aligned_stack_repeats_one_star() -> None:
    coords = stack_of_stars(5, 16, SHAPE, rotation="aligned", first_angle=7.0)
    star = radial_trajectory(5, 16, SHAPE[1:], first_angle=7.0)
    partitions = coords.unflatten(0, (4, -1))
    for number, partition in enumerate(partitions):
        assert torch.equal(partition[:, 1:], star)
        assert torch.all(partition[:, 0] == number - 2)


def test_golden_partitions_turn_by_the_golden_ratio_of_the_gap() -> None:
    """36 degrees lie between five spokes: 0, 22.249, 44.498 - 36 and 66.748 - 36 degrees more."""
    angles = star_angles("golden")
    turned = torch.tensor([0, 22.24922, 8.49845, 30.74767]).double()
    expected = turned[:, None] + 36 * torch.arange(5)
    torch.testing.assert_close(angles, expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(star_angles("aligned"), 36 * torch.arange(5).double().repeat(4, 1))


def test_spokes_of_a_kooshball_follow_golden_means() -> None:
    """The first directions of Chan et al.: heights frac(0.4656 m), turns frac(0.6823 m)."""
    coords = kooshball(4, 8, (16, 16, 16), dtype=torch.float64)
    tips = -coords.unflatten(0, (4, 8))[:, 0] / 8
    torch.testing.assert_close(tips.norm(dim=-1), torch.ones(4).double())
    expected = torch.tensor([0, 0.4656, 0.9311, 0.3967]).double()
    torch.testing.assert_close(tips[:, 0], expected, rtol=0, atol=1e-4)
    turns = torch.atan2(tips[:, 1], tips[:, 2]) / (2 * math.pi) % 1
    expected = torch.tensor([0, 0.6823, 0.3647, 0.0470]).double()
    torch.testing.assert_close(turns, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("n_spokes", [300, 1000])
def test_directions_of_a_kooshball_are_spread_evenly(n_spokes: int) -> None:
    """The second moments of an even spread over the sphere are 1/3 along and 0 across axes."""
    tips = kooshball(n_spokes, 2, (1, 1, 1), dtype=torch.float64)[::2] * 2
    moments = tips.T @ tips / n_spokes
    torch.testing.assert_close(moments, torch.eye(3).double() / 3, rtol=0, atol=5 / n_spokes)


@pytest.mark.parametrize("shape", [SHAPE, (15, 16, 17)])
def test_readouts_asked_for_are_got_and_stay_in_kspace(shape: tuple[int, int, int]) -> None:
    half = torch.tensor(shape) / 2
    for coords, n_readouts in (
        (stack_of_stars(7, 10, shape), 7 * shape[0]),
        (kooshball(31, 10, shape), 31),
    ):
        assert coords.dtype == torch.float32
        assert coords.shape == (n_readouts * 10, 3)
        assert torch.all(coords.abs() <= half)


def test_density_of_a_kooshball_is_the_volume_of_its_ellipsoid() -> None:
    density = kooshball_density(200, 64, SHAPE)
    assert density.sum().item() == pytest.approx(math.pi / 6 * math.prod(SHAPE), rel=0.01)


def test_gridding_keeps_the_scale_of_an_image() -> None:
    shape = (16, 16, 16)
    stack = stack_of_stars(40, 32, shape, order="uniform")
    assert_keeps_a_constant(stack, stack_of_stars_density(40, 32, shape), 16, 0.04)
    assert_keeps_a_constant(kooshball(700, 32, shape), kooshball_density(700, 32, shape), 16, 0.04)


def test_scanners_play_both_and_take_a_repetition_for_each_spoke() -> None:
    """4 partitions of 6 spokes and 24 spokes take 24 x 10 ms, a full scan 4 x 24 lines."""
    slab = AcquisitionConfig(n_partitions=4, slab_thickness=0.02, field_of_view=(0.12, 0.16))
    for coords in (
        stack_of_stars(6, 32, SHAPE, dtype=torch.float64).unflatten(0, (24, 32)),
        kooshball(24, 32, SHAPE, dtype=torch.float64).unflatten(0, (24, 32)),
    ):
        found = check_coords(coords, SHAPE, slab, CLINICAL_3T)
        assert found.problems == ()
        assert found.scan_time == pytest.approx(0.24)
        assert found.full_scan_time == pytest.approx(0.96)
        assert found.max_slew == pytest.approx(0, abs=1e-6)
        # Pixels of 5 mm along each axis: 1 / (0.005 x 32 samples x 10 us x 42.6 MHz/T).
        assert found.max_gradient == pytest.approx(1 / (0.005 * 32 * 10e-6 * 42.577478e6))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_spokes": 0}, "n_spokes: expected 1 or more, got 0"),
        ({"n_samples": 1}, "n_samples: expected 2 or more, got 1"),
        ({"shape": (8, 8)}, r"shape: expected \(depth, rows, cols\), .*, got \(8, 8\)"),
        ({"shape": (0, 8, 8)}, r"shape: expected \(depth, rows, cols\), .*, got \(0, 8, 8\)"),
    ],
)
def test_rejects_what_lays_no_spokes(arguments: dict[str, object], message: str) -> None:
    for lay in (stack_of_stars, kooshball):
        with pytest.raises(ValueError, match=f"^{message}$"):
            lay(**{"n_spokes": 3, "n_samples": 8, "shape": SHAPE} | arguments)  # type: ignore[arg-type]


def test_rejects_an_unknown_rotation() -> None:
    expected = "^rotation: expected one of aligned, golden, got random$"
    with pytest.raises(ValueError, match=expected):
        stack_of_stars(3, 8, SHAPE, rotation="random")  # type: ignore[arg-type]
