import math

import numpy as np
import pytest
import torch

from mrirecon.sampling import SamplingConfig, acceleration, make_mask
from mrirecon.sampling.density import density
from mrirecon.sampling.poisson_disc import DiscPlan, ellipse, plan_discs


def disc_config(asked: float = 6.0, **options: object) -> SamplingConfig:
    return SamplingConfig(strategy="poisson_disc", acceleration=asked, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(48, 64), (63, 40)])
@pytest.mark.parametrize("asked", [3.0, 8.0, 40.0])
@pytest.mark.parametrize("power", [0.0, 2.0])
def test_points_keep_their_distance(shape: tuple[int, int], asked: float, power: float) -> None:
    config = disc_config(asked, calibration=4, power=power)
    _, scale = plan_discs(config, shape)
    wanted = 0.9 * scale / np.sqrt(density(config, shape))  # a throw may shrink it some times
    between_cells = np.unique(np.add.outer(np.arange(99) ** 2, np.arange(99) ** 2))
    below = np.searchsorted(between_cells, wanted**2, side="right") - 1
    distances = np.sqrt(between_cells[below])
    for seed in range(3):
        mask = make_mask(config, shape, seed=seed).numpy()
        assert mask.sum() == pytest.approx(math.prod(shape) / asked, abs=1)
        points = np.argwhere(mask)
        apart = np.linalg.norm(points[:, None] - points, axis=-1)
        smaller = np.minimum.outer(distances[mask], distances[mask])
        centre = (np.abs(points - np.array(shape) // 2 + 0.5) < 2.5).all(axis=1)
        excused = (centre[:, None] & centre) | np.eye(len(points), dtype=bool)
        assert bool((apart >= smaller)[~excused].all())


def test_the_density_has_no_steps() -> None:
    """Distances from 1 to sqrt 2 gave one density, seen as rings around the centre."""
    config = disc_config(4.0)
    masks = [make_mask(config, (128, 128), seed=seed).double() for seed in range(16)]
    rows, cols = torch.arange(-64, 64)[:, None], torch.arange(-64, 64)
    ring = ((rows**2 + cols**2).sqrt() / 2).long()
    mean = torch.stack(masks).mean(0)
    profile = torch.stack([mean[ring == i].mean() for i in range(31)])
    assert profile[0] == 1
    assert profile.diff().max() < 0.02  # it falls, up to noise
    assert profile.diff().min() > -0.09


def test_the_largest_distances_are_taken() -> None:
    """At nearly twice the distance a quarter of the points would fit, at 1.3 times not enough."""
    plan, scale = plan_discs(disc_config(12.0), (96, 96))
    throws = [plan.throw(np.random.default_rng(seed), 1.1 * scale) for seed in range(5)]
    assert throws == [None] * 5
    assert plan.throw(np.random.default_rng(0), 0.9 * scale) is not None
    assert scale > 1


@pytest.mark.parametrize("shape", [(64, 64), (65, 48)])
def test_corners_beyond_the_ellipse_are_left_out(shape: tuple[int, int]) -> None:
    every = make_mask(disc_config(math.prod(shape) / ellipse(shape).sum()), shape, seed=1)
    np.testing.assert_array_equal(every.numpy(), ellipse(shape))
    assert ellipse(shape).mean() == pytest.approx(math.pi / 4, abs=0.02)
    with pytest.raises(
        ValueError, match=r"^acceleration: expected at least 1\.2\d+, since poisson"
    ):
        make_mask(disc_config(1.2), shape, seed=1)


def test_points_thin_out_towards_the_edge() -> None:
    steep, flat = (make_mask(disc_config(power=power), (96, 96), seed=1) for power in (3.0, 0.0))
    inner = (slice(32, 64), slice(32, 64))
    assert int(steep[inner].sum()) > 2 * int(flat[inner].sum())


def test_the_centre_may_be_a_disc_or_a_square() -> None:
    square = make_mask(disc_config(20, calibration=9), (64, 64), seed=1)
    disc = make_mask(disc_config(20, calibration=9, calibration_shape="disc"), (64, 64), seed=1)
    rows, cols = torch.arange(-32, 32)[:, None], torch.arange(-32, 32)
    assert bool(square[28:37, 28:37].all())
    assert bool(disc[rows**2 + cols**2 < 4.5**2].all())
    assert not torch.equal(square, disc)


def test_a_density_that_underflows_still_gives_all_points() -> None:
    mask = make_mask(disc_config(2.0, power=900.0), (48, 48), seed=1)
    assert acceleration(mask) == 2


def test_distances_shrink_until_all_points_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    config = disc_config(5.0)
    plan, _ = plan_discs(config, (32, 32))
    scales = []
    throw = DiscPlan.throw

    def watched(self: DiscPlan, rng: np.random.Generator, scale: float) -> object:
        scales.append(scale)
        return throw(self, rng, scale)

    monkeypatch.setattr(DiscPlan, "throw", watched)
    monkeypatch.setattr("mrirecon.sampling.poisson_disc.plan_discs", lambda *_: (plan, 30.0))
    assert int(make_mask(config, (32, 32), seed=1).sum()) == 205
    assert scales == sorted(scales, reverse=True)
    assert len(scales) < 12
