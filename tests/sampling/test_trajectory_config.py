from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mrirecon.sampling import (
    TrajectoryConfig,
    plan_trajectory,
    radial_trajectory,
    spiral_trajectory,
    summarise_trajectory,
    trajectory_mask,
)
from mrirecon.sampling.picture import FLOOR, decibels, draw_trajectory
from mrirecon.sampling.side_lobes import trajectory_spread

SHAPE = (48, 64)
CPU = torch.device("cpu")
RADIAL = TrajectoryConfig(n_readouts=20, n_samples=96, first_angle=3.0)
SPIRAL = TrajectoryConfig("spiral", n_readouts=8, n_samples=200, n_turns=1.5, order="uniform")


def test_describes_the_trajectory_of_its_kind() -> None:
    radial = radial_trajectory(20, 96, SHAPE, first_angle=3.0)
    spiral = spiral_trajectory(8, 200, SHAPE, n_turns=1.5)
    assert torch.equal(RADIAL.coords(SHAPE), radial)
    assert torch.equal(SPIRAL.coords(SHAPE), spiral)
    for config in (RADIAL, SPIRAL):
        assert config.density(SHAPE).shape == (config.n_readouts * config.n_samples,)


def test_a_trajectory_is_planned_once() -> None:
    again = TrajectoryConfig(n_readouts=20, n_samples=96, first_angle=3.0)
    assert plan_trajectory(RADIAL, SHAPE, CPU) is plan_trajectory(again, SHAPE, CPU)
    assert plan_trajectory(RADIAL, SHAPE, CPU) is not plan_trajectory(SPIRAL, SHAPE, CPU)


@pytest.mark.parametrize("n_readouts", [2, 90])
def test_a_plan_made_in_inference_mode_serves_training(n_readouts: int) -> None:
    """What evaluation plans first, a later training step must be able to differentiate."""
    config = TrajectoryConfig(n_readouts=n_readouts, n_samples=32, first_angle=0.5)
    with torch.inference_mode():
        nufft = plan_trajectory(config, (64, 64), CPU)
        nufft.normal(torch.zeros(1, 1, 64, 64, dtype=torch.complex64))
    image = torch.randn(1, 1, 64, 64, dtype=torch.complex64, requires_grad=True)
    nufft.normal(image).abs().square().sum().backward()
    assert image.grad is not None


def test_summary_counts_readouts_against_the_lines_of_a_full_scan() -> None:
    summary = summarise_trajectory(RADIAL, SHAPE)
    visited = int(trajectory_mask(RADIAL, SHAPE).sum())
    assert (summary.kind, summary.n_readouts, summary.n_samples) == ("spokes", 20, visited)
    assert summary.acceleration == pytest.approx(48 * 64 / visited)
    assert summary.scan_time_factor == pytest.approx(48 / 20)
    assert "20 spokes" in summary.describe()
    assert summarise_trajectory(SPIRAL, SHAPE).kind == "interleaves"


def test_a_point_spreads_to_a_point_and_streaks() -> None:
    full = TrajectoryConfig(n_readouts=150, n_samples=128, order="uniform")
    row, col = SHAPE[0] // 2, SHAPE[1] // 2
    for config in (RADIAL, full):
        spread = decibels(trajectory_spread(config, SHAPE))
        assert spread.shape == SHAPE
        assert np.unravel_index(spread.argmax(), SHAPE) == (row, col)
        assert (spread.max(), spread.min() >= FLOOR) == (0, True)
    far = np.hypot(*np.ogrid[-row:row, -col:col]) > 12
    streaks = [trajectory_spread(config, SHAPE)[far] for config in (RADIAL, full)]
    assert streaks[0].mean() > 2 * streaks[1].mean()


def test_the_figure_shows_readouts_over_their_point_spread(tmp_path: Path) -> None:
    for config, name in ((RADIAL, "radial.png"), (SPIRAL, "spiral.png")):
        draw_trajectory(config, SHAPE, tmp_path / name, title=config.kind)
    with Image.open(tmp_path / "radial.png") as one, Image.open(tmp_path / "spiral.png") as two:
        assert one.size == two.size
        above = [np.asarray(picture.convert("L"))[: one.height // 2] for picture in (one, two)]
    assert (above[0] != above[1]).mean() > 0.05
    assert all((half < 200).mean() > 0.02 for half in above)  # an empty panel has 0.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "rosette"}, "kind: expected one of radial, spiral, got rosette"),
        ({"order": "any"}, "order: expected one of golden, tiny_golden, uniform, got any"),
        ({"n_readouts": 0}, "n_readouts: expected 1 or more, got 0"),
        ({"n_samples": 1}, "n_samples: expected 2 or more, got 1"),
        ({"first_angle": float("nan")}, "first_angle: expected a finite angle, got nan"),
        ({"n_turns": 2.0}, "n_turns: expected none for radial, whose readouts do not turn, got 2"),
        ({"kind": "spiral", "n_turns": 0.0}, "n_turns: expected above 0, got 0"),
    ],
)
def test_rejects_what_describes_no_trajectory(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        TrajectoryConfig(**arguments)  # type: ignore[arg-type]
