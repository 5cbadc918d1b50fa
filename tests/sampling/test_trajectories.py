import math

import pytest
import torch

from mrirecon import Nufft
from mrirecon.sampling.radial import GOLDEN_ANGLE
from mrirecon.sampling.trajectories import (
    TINY_GOLDEN_ANGLE,
    Order,
    radial_density,
    radial_trajectory,
    readout_angles,
    spiral_density,
    spiral_trajectory,
    visited_cells,
)

SHAPE = (48, 64)


def measured_angles(coords: torch.Tensor, n_spokes: int) -> torch.Tensor:
    """Angle of each spoke from its last sample, [degrees], in k-space as wide as it is high."""
    row, col = (coords / torch.tensor(SHAPE)).unflatten(0, (n_spokes, -1))[:, -1].T
    return torch.rad2deg(torch.atan2(row, col)) % 180


@pytest.mark.parametrize(
    ("order", "step"), [("golden", 111.246117975), ("tiny_golden", 23.628143), ("uniform", 36.0)]
)
def test_spokes_follow_each_other_at_the_angle_of_their_order(order: Order, step: float) -> None:
    coords = radial_trajectory(5, 8, SHAPE, order=order, first_angle=7.0, dtype=torch.float64)
    expected = (7.0 + step * torch.arange(5, dtype=torch.float64)) % 180
    torch.testing.assert_close(measured_angles(coords, 5), expected)


def test_golden_angles_are_those_of_the_golden_ratio() -> None:
    ratio = (1 + math.sqrt(5)) / 2
    assert pytest.approx(180 / ratio, abs=1e-8) == GOLDEN_ANGLE
    assert pytest.approx(180 / (ratio + 6), abs=1e-6) == TINY_GOLDEN_ANGLE


def test_golden_interleaves_lie_twice_as_far_apart_as_spokes() -> None:
    angles = readout_angles(2, full_turn=360.0)
    torch.testing.assert_close(angles[1].item(), 2 * GOLDEN_ANGLE)


def test_a_spoke_along_the_columns_has_cartesian_samples() -> None:
    coords = radial_trajectory(1, SHAPE[1], SHAPE, dtype=torch.float64)
    expected = torch.zeros(SHAPE[1], 2, dtype=torch.float64)
    expected[:, 1] = torch.arange(SHAPE[1]) - SHAPE[1] // 2
    torch.testing.assert_close(coords, expected)


def test_spokes_are_symmetric_but_for_their_first_sample() -> None:
    spokes = radial_trajectory(7, 16, SHAPE, dtype=torch.float64).unflatten(0, (7, 16))
    torch.testing.assert_close(spokes[:, 1:], -spokes[:, 1:].flip(1))
    assert torch.all(spokes[:, 8] == 0)


@pytest.mark.parametrize("n_samples", [2, 15, 16])
def test_readouts_reach_the_edge_of_kspace_and_stay_in_it(n_samples: int) -> None:
    half = torch.tensor(SHAPE) / 2
    for coords in (radial_trajectory(90, n_samples, SHAPE), spiral_trajectory(9, 400, SHAPE)):
        assert coords.dtype == torch.float32
        assert torch.all(coords.abs() <= half)
        reach = (coords / half).norm(dim=-1).max().item()
        assert 1 - 1 / n_samples <= reach <= 1 + 1e-6


def test_arms_of_a_full_spiral_lie_one_cycle_apart() -> None:
    n_interleaves, n_samples, n = 4, 512, 64
    arms = spiral_trajectory(n_interleaves, n_samples, (n, n), dtype=torch.float64)
    radius = arms[:n_samples].norm(dim=-1)
    torch.testing.assert_close(radius, torch.arange(n_samples, dtype=torch.float64) / 16)
    per_turn = n_samples // (n // 2 // n_interleaves)  # samples of one turn of one interleave
    gap = (radius[per_turn] - radius[0]).item() / n_interleaves
    assert gap == pytest.approx(1.0)


def test_interleaves_are_turned_copies_of_the_first() -> None:
    arms = spiral_trajectory(3, 50, (32, 32), dtype=torch.float64).unflatten(0, (3, 50))
    third = 2 * math.pi / 3
    row, col = arms[0].unbind(-1)
    turned = torch.stack(
        [
            row * math.cos(third) + col * math.sin(third),
            col * math.cos(third) - row * math.sin(third),
        ],
        dim=-1,
    )
    torch.testing.assert_close(arms[1], turned)


@pytest.mark.parametrize("shape", [(48, 48), SHAPE])
def test_density_is_the_area_of_the_ellipse_that_is_measured(shape: tuple[int, int]) -> None:
    area = math.pi / 4 * math.prod(shape)
    for density in (radial_density(30, 128, shape), spiral_density(6, 500, shape)):
        assert density.sum().item() == pytest.approx(area, rel=0.01)


@pytest.mark.parametrize("kind", ["radial", "spiral"])
def test_gridding_gives_a_smooth_image_back(kind: str) -> None:
    """A Gaussian that has decayed at the edges of image and k-space, at full sampling."""
    row, col = (torch.arange(n) - n // 2 for n in SHAPE)
    image = torch.exp(-(row[:, None] ** 2 + col**2) / 50).to(torch.complex64)[None, None]
    if kind == "radial":
        coords = radial_trajectory(150, 128, SHAPE, order="uniform")
        density = radial_density(150, 128, SHAPE)
    else:
        coords = spiral_trajectory(24, 400, SHAPE, n_turns=3)
        density = spiral_density(24, 400, SHAPE)
    nufft = Nufft(coords, SHAPE, density=density)
    torch.testing.assert_close(nufft.grid(nufft(image)), image, rtol=0, atol=0.01)


def test_cells_of_a_spoke_are_the_line_it_lies_on() -> None:
    mask = visited_cells(radial_trajectory(1, 2 * SHAPE[1], SHAPE), SHAPE)
    expected = torch.zeros(SHAPE, dtype=torch.bool)
    expected[SHAPE[0] // 2] = True
    assert torch.equal(mask, expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_spokes": 0}, "n_readouts: expected 1 or more, got 0"),
        ({"n_samples": 1}, "n_samples: expected 2 or more, got 1"),
        ({"order": "random"}, "order: expected one of golden, tiny_golden, uniform, got random"),
    ],
)
def test_rejects_trajectories_without_readouts_or_order(
    arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        radial_trajectory(**{"n_spokes": 3, "n_samples": 8, "shape": SHAPE} | arguments)  # type: ignore[arg-type]


def test_rejects_a_spiral_that_does_not_turn() -> None:
    with pytest.raises(ValueError, match=r"^n_turns: expected a finite number above 0, got 0$"):
        spiral_trajectory(3, 8, SHAPE, n_turns=0)
