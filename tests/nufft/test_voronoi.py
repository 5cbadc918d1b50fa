"""Voronoi weights: exact areas, the outer edge, repeated samples, scale and errors."""

import math
import subprocess
import sys

import pytest
import torch
from density_cases import assert_keeps_a_constant, cartesian_coords

from mrirecon import nufft
from mrirecon.nufft import ramp_density, voronoi_density
from mrirecon.sampling import SpiralDesign, designed_spiral, radial_trajectory


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cartesian_samples_have_weight_one_up_to_the_corners(dtype: torch.dtype) -> None:
    weights = voronoi_density(cartesian_coords(12, 15).to(dtype))
    assert weights.dtype == dtype
    torch.testing.assert_close(weights, torch.ones(180, dtype=dtype))


def test_a_stretched_and_shifted_grid_has_the_area_of_its_cells() -> None:
    coords = cartesian_coords(9, 7) * torch.tensor([0.5, 3.0]) + torch.tensor([0.2, 1.7])
    torch.testing.assert_close(voronoi_density(coords), torch.full((63,), 1.5).double())


def test_coinciding_samples_share_their_cell() -> None:
    coords = cartesian_coords(12, 15)
    weights = voronoi_density(torch.cat([coords, coords[:20], coords[5:20] + 1e-7]))
    expected = torch.ones(215).double()
    expected[:20], expected[180:200] = 1 / 2, 1 / 2
    expected[5:20], expected[185:] = 1 / 3, 1 / 3
    torch.testing.assert_close(weights, expected)


def test_uneven_spacing_gives_half_of_the_gaps_on_both_sides() -> None:
    """Columns at 0, 1, 3 and 4: cells of 1, 1.5, 1.5 and 1, the outer ones going on as inside."""
    coords = torch.cartesian_prod(torch.arange(5.0), torch.tensor([0.0, 1, 3, 4])).double()
    expected = torch.tensor([1, 1.5, 1.5, 1]).double().repeat(5)
    torch.testing.assert_close(voronoi_density(coords), expected)


def test_even_spokes_have_the_area_of_their_sectors() -> None:
    """Away from the centre and the ends, a step times the arc: pi r / 40 x 1/2."""
    coords = radial_trajectory(40, 64, (32, 32), order="uniform", dtype=torch.float64)
    radius = coords.norm(dim=-1)
    inside = (radius > 1.9) & (radius < 15)
    # Cells are bounded by chords and by bisectors of neighbours, not by arcs.
    expected = (math.pi / 80 * radius)[inside]
    torch.testing.assert_close(voronoi_density(coords)[inside], expected, rtol=3e-3, atol=0)


def test_cells_are_what_lies_nearest_within_the_hull() -> None:
    """Against counting the points of a fine grid over a long rectangle with samples inside it."""
    generator = torch.Generator().manual_seed(1)
    size = torch.tensor([2.0, 20.0], dtype=torch.float64)
    samples = torch.rand(40, 2, dtype=torch.float64, generator=generator) * size
    samples = torch.cat([samples, torch.cartesian_prod(*torch.tensor([[0, 2], [0, 20]]).double())])
    fine = (torch.cartesian_prod(torch.arange(100), torch.arange(1000)) + 0.5) * 0.02
    nearest = torch.cdist(fine.double(), samples).argmin(dim=1)
    expected = torch.bincount(nearest, minlength=44)[:40] * 0.02**2
    torch.testing.assert_close(
        voronoi_density(samples)[:40], expected.double(), rtol=0.02, atol=0.005
    )


def test_golden_spokes_are_uneven_by_a_third() -> None:
    """As docs/sampling.md says of 100 spokes, which have gaps of three sizes between them."""
    spokes = radial_trajectory(100, 64, (64, 64), dtype=torch.float64)
    radius = spokes.norm(dim=-1)
    inside = (radius > 8) & (radius < 30)
    share = (voronoi_density(spokes) / ramp_density(spokes, 100))[inside]
    assert share.min().item() == pytest.approx(0.66, abs=0.01)
    assert share.max().item() == pytest.approx(1.32, abs=0.01)


def test_three_samples_share_their_triangle() -> None:
    """A third of it each, and six times as much around corners of 60 degrees."""
    corners = torch.tensor([[0.0, 0.0], [0.0, 2.0], [math.sqrt(3), 1.0]]).double()
    expected = torch.full((3,), 2 * math.sqrt(3)).double()
    torch.testing.assert_close(voronoi_density(corners), expected, rtol=1e-6, atol=0)


def test_a_constant_comes_back_constant() -> None:
    spokes = radial_trajectory(80, 96, (48, 48), dtype=torch.float64)
    assert_keeps_a_constant(spokes, voronoi_density(spokes), 48, 0.03)
    spiral = designed_spiral(20, 200, (48, 48), SpiralDesign(edge_spacing=1.3)).double()
    assert_keeps_a_constant(spiral, voronoi_density(spiral), 48, 0.03)
    grid = cartesian_coords(48, 48)
    assert_keeps_a_constant(grid, voronoi_density(grid), 48, 1e-5)


def test_the_centre_of_spokes_is_an_area_of_which_gridding_needs_less() -> None:
    """All spokes share a disc of diameter 1, where the cusp of |r| integrates like pi / 6."""
    spokes = radial_trajectory(80, 48, (48, 48), order="uniform", dtype=torch.float64)
    centre = (spokes == 0).all(dim=-1)
    assert voronoi_density(spokes)[centre].sum().item() == pytest.approx(math.pi / 4, rel=1e-3)
    assert ramp_density(spokes, 80)[centre].sum().item() == pytest.approx(math.pi / 6)


def test_each_trajectory_of_a_batch_has_its_own_weights() -> None:
    coords = torch.stack([cartesian_coords(5, 6), 0.5 * cartesian_coords(5, 6)])
    expected = torch.tensor([[1.0], [0.25]]).double().expand(2, 30)
    torch.testing.assert_close(voronoi_density(coords), expected)
    assert voronoi_density(coords[:0]).shape == (0, 30)


@pytest.mark.parametrize(
    ("coords", "message"),
    [
        (torch.zeros(4, 3), r"expected \(samples, 2\) or \(batch, samples, 2\), got \(4, 3\)"),
        (torch.zeros(4), r"expected \(samples, 2\) or \(batch, samples, 2\), got \(4,\)"),
        (torch.full((4, 2), torch.nan), "expected finite values, got NaN or infinity"),
        (torch.zeros(0, 2), "expected samples that span a plane, got 0 distinct ones"),
        (torch.ones(5, 2), "expected samples that span a plane, got 1 distinct ones"),
        (
            torch.arange(8.0)[:, None].repeat(1, 2),
            "expected samples that span a plane, got 8 distinct ones",
        ),
    ],
)
def test_rejects_samples_without_area(coords: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=f"^coords: {message}$"):
        voronoi_density(coords)


def test_who_only_transforms_does_not_wait_for_scipy() -> None:
    program = (
        "import sys, mrirecon.nufft; before = 'scipy' in sys.modules;"
        "mrirecon.nufft.voronoi_density; print(before, 'scipy' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.stdout.split() == ["False", "True"], found.stderr
    with pytest.raises(AttributeError, match=r"'mrirecon.nufft' has no attribute 'voronoi_d"):
        _ = nufft.voronoi_densities
