"""Trajectories through a slab: what is measured of them, and what is refused."""

import pytest
import torch
from density_cases import assert_keeps_a_constant

from mrirecon.sampling import SlabConfig, slab_spread, summarise_slab, visited_volume

SHAPE = (8, 16, 20)


@pytest.mark.parametrize("kind", ["stack_of_stars", "kooshball"])
def test_visited_cells_are_those_nearest_to_samples(kind: str) -> None:
    config = SlabConfig(kind, 5, 32)  # type: ignore[arg-type]
    visited = visited_volume(config, SHAPE)
    expected = torch.zeros(SHAPE, dtype=torch.bool)
    for point in config.coords(SHAPE).round().int().tolist():
        expected[tuple((k + n // 2) % n for k, n in zip(point, SHAPE, strict=True))] = True
    assert torch.equal(visited, expected)
    summary = summarise_slab(config, SHAPE)
    assert summary.n_samples == int(expected.sum())
    assert summary.acceleration == pytest.approx(expected.numel() / int(expected.sum()))


def test_scan_time_counts_spokes_against_lines() -> None:
    """16 lines in each of 8 partitions, 128 in all, against 4 x 8 and 32 spokes."""
    assert summarise_slab(SlabConfig("stack_of_stars", 4, 32), SHAPE).scan_time_factor == 4
    assert summarise_slab(SlabConfig("kooshball", 32, 32), SHAPE).scan_time_factor == 4


def test_spread_peaks_at_the_centre() -> None:
    spread = slab_spread(SlabConfig("kooshball", 60, 32), SHAPE)
    assert spread.shape == SHAPE[1:]
    assert spread[8, 10] == 1


@pytest.mark.parametrize("kind", ["stack_of_stars", "kooshball"])
def test_gridding_by_its_density_keeps_the_scale_of_an_image(kind: str) -> None:
    shape = (16, 16, 16)
    config = SlabConfig(kind, 40 if kind == "stack_of_stars" else 700, 32)  # type: ignore[arg-type]
    assert_keeps_a_constant(config.coords(shape), config.density(shape), 16, 0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("stack", 4, 8), "kind: expected one of stack_of_stars, kooshball, got stack"),
        (("kooshball", 0, 8), "n_spokes: expected 1 or more, got 0"),
        (("kooshball", 4, 1), "n_samples: expected 2 or more, got 1"),
    ],
)
def test_rejects_values_that_describe_no_trajectory(
    arguments: tuple[str, int, int], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        SlabConfig(*arguments)  # type: ignore[arg-type]
