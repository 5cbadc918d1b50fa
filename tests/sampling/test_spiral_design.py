"""Designed spirals: their arms, their limits by numerical derivative, and how fast they are."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from density_cases import assert_keeps_a_constant
from hypothesis import given, settings
from hypothesis import strategies as st

from mrirecon.sampling import (
    AcquisitionConfig,
    ScannerProfile,
    SpiralDesign,
    TrajectoryConfig,
    check_coords,
    check_feasibility,
    design_spiral,
    designed_spiral,
    designed_spiral_density,
)
from mrirecon.sampling.waveforms import gradient_waveform, slew_waveform

FULL = SpiralDesign(pixel_size=2e-3, max_gradient=0.02, max_slew=120)
THINNING = replace(FULL, edge_spacing=3.0)
STRONG = replace(FULL, max_gradient=1.0)  # never reached, so that the slew rate alone limits
WEAK = replace(FULL, max_gradient=0.002)  # reached soon
STEEP = replace(STRONG, centre_spacing=0.5, edge_spacing=10.0)


@pytest.mark.parametrize("n_samples", [200, 901])
@pytest.mark.parametrize("design", [FULL, THINNING, STRONG, WEAK])
@pytest.mark.parametrize("n_interleaves", [1, 8])
def test_gradient_and_slew_rate_keep_to_the_limits(
    design: SpiralDesign, n_interleaves: int, n_samples: int
) -> None:
    """By numerical derivatives in every direction; with many samples, to what limits allow."""
    duration = design_spiral(n_interleaves, 96, design).duration
    coords = designed_spiral(n_interleaves, n_samples, (96, 96), design, dtype=torch.float64)
    acquisition = AcquisitionConfig(dwell_time=duration / n_samples, field_of_view=(0.192, 0.192))
    scanner = ScannerProfile("own", 3, design.max_gradient, design.max_slew)
    readouts = coords.unflatten(0, (n_interleaves, n_samples))
    found = check_coords(readouts, (96, 96), acquisition, scanner)
    assert found.max_gradient <= design.max_gradient * (1 + 1e-6)
    assert found.max_slew <= design.max_slew * (1 + 1e-6)
    if n_samples == 901 and n_interleaves == 8:
        assert design is WEAK or found.max_slew >= 0.98 * design.max_slew
        assert design is STRONG or found.max_gradient >= 0.98 * design.max_gradient


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    n_interleaves=st.integers(1, 64),
    n_pixels=st.integers(8, 300),
    n_samples=st.integers(2, 3000),
    strength=st.floats(-3, 0),  # the logarithm of T/m; those below are of spacings
    centre=st.floats(-0.7, 0.6),
    growth=st.floats(0, 1.2),
)
def test_no_design_passes_a_limit(
    *,
    n_interleaves: int,
    n_pixels: int,
    n_samples: int,
    strength: float,
    centre: float,
    growth: float,
) -> None:
    design = SpiralDesign(
        max_gradient=10**strength, centre_spacing=10**centre, edge_spacing=10 ** (centre + growth)
    )
    duration = design_spiral(n_interleaves, n_pixels, design).duration
    shape = (n_pixels, n_pixels)
    coords = designed_spiral(n_interleaves, n_samples, shape, design, dtype=torch.float64)
    acquisition = AcquisitionConfig(1, duration / n_samples, (1e-3 * n_pixels, 1e-3 * n_pixels))
    scanner = ScannerProfile("own", 3, design.max_gradient, design.max_slew, min_dwell=1e-12)
    one = coords[:n_samples][None]
    assert check_coords(one, shape, acquisition, scanner).problems == ()


@pytest.mark.parametrize("design", [FULL, THINNING, STRONG, WEAK, STEEP])
def test_one_limit_is_reached_at_all_times(design: SpiralDesign) -> None:
    """Else it could be played faster. Differences over a sample see a little less at the start."""
    duration = design_spiral(8, 96, design).duration
    coords = designed_spiral(8, 2000, (96, 96), design, dtype=torch.float64)[:2000]
    dwell = duration / 2000
    gradient = gradient_waveform(coords[None] / 0.192, dwell, design.gyromagnetic_ratio)
    slew = slew_waveform(gradient, dwell, is_at_rest=torch.tensor([True]))
    shares = torch.stack([gradient / design.max_gradient, slew / design.max_slew]).norm(dim=-1)
    assert shares.amax(dim=0)[0, 20:].min() > 0.98


@pytest.mark.parametrize("design", [FULL, THINNING])
def test_arms_are_as_far_apart_as_the_design_says(design: SpiralDesign) -> None:
    """Eight interleaves of 128 pixels: the next arm is where the angle has grown by 2 pi / 8."""
    path = design_spiral(8, 128, design)
    radius = np.linspace(0, 1, 200001)
    angle = path.angle(radius)
    for inner in (0.0, 0.3, 0.9):
        outer = np.interp(np.interp(inner, radius, angle) + 2 * np.pi / 8, angle, radius)
        middle = (inner + outer) / 2
        spacing = 1 + (design.edge_spacing - 1) * middle  # [cycles per field of view]
        assert (outer - inner) * 64 == pytest.approx(spacing, rel=1e-3)


def test_the_slew_rate_alone_gives_the_known_duration() -> None:
    """Away from the centre r = c angle and a = r angle'^2, so T = 2/3 angle_max^1.5 sqrt(c / a)."""
    angle_max = math.pi * 256 / 4
    limit = STRONG.gyromagnetic_ratio * STRONG.max_slew * 2 * STRONG.pixel_size  # [of radius/s^2]
    expected = 2 / 3 * angle_max**1.5 * math.sqrt(1 / angle_max / limit)
    assert design_spiral(4, 256, STRONG).duration == pytest.approx(expected, rel=5e-3)


def test_the_gradient_alone_gives_the_known_duration() -> None:
    """An Archimedean spiral of m radians and radius 1 is about m / 2 + ln(2 m) / (2 m) long."""
    angle = math.pi * 256 / 4
    length = angle / 2 + math.log(2 * angle) / (2 * angle)
    speed = WEAK.gyromagnetic_ratio * WEAK.max_gradient * 2 * WEAK.pixel_size  # [of radius/s]
    assert design_spiral(4, 256, WEAK).duration == pytest.approx(length / speed, rel=5e-3)


def test_interleaves_begin_at_rest_in_the_centre_and_reach_the_edge() -> None:
    shape = (64, 48)
    coords = designed_spiral(6, 500, shape, FULL).unflatten(0, (6, 500))
    assert coords.dtype == torch.float32
    assert torch.all(coords[:, 0] == 0)
    reach = (coords / (torch.tensor(shape) / 2)).norm(dim=-1)
    assert 0.99 < reach[:, -1].min() <= reach.max() <= 1


@pytest.mark.parametrize("design", [FULL, replace(FULL, edge_spacing=1.3)])
def test_gridding_keeps_the_scale_of_an_image(design: SpiralDesign) -> None:
    coords = designed_spiral(20, 200, (48, 48), design)
    density = designed_spiral_density(20, 200, (48, 48), design)
    assert_keeps_a_constant(coords, density, 48, 0.03)


def test_a_configuration_describes_a_designed_spiral() -> None:
    config = TrajectoryConfig("spiral", n_readouts=8, n_samples=400, design=THINNING)
    shape = (96, 96)
    coords = designed_spiral(8, 400, shape, THINNING, order="golden")
    assert torch.equal(config.coords(shape), coords)
    density = designed_spiral_density(8, 400, shape, THINNING)
    assert torch.equal(config.density(shape), density)


def test_a_designed_spiral_plays_at_its_dwell_time_and_no_faster() -> None:
    config = TrajectoryConfig("spiral", n_readouts=8, n_samples=400, design=FULL)
    scanner = ScannerProfile("own", 3, FULL.max_gradient, FULL.max_slew, min_dwell=1e-7)
    dwell = design_spiral(8, 96, FULL).duration / 400
    slice_ = AcquisitionConfig(20e-3, dwell, field_of_view=(0.192, 0.192))
    found = check_feasibility(config, (96, 96), slice_, scanner)
    assert found.problems == ()
    assert found.readout_time == pytest.approx(design_spiral(8, 96, FULL).duration)
    hurried = replace(slice_, dwell_time=dwell / 1.02)
    problems = check_feasibility(config, (96, 96), hurried, scanner).problems
    assert [problem.split()[0] for problem in problems] == ["gradient", "slew"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pixel_size": 0.0}, "pixel_size: expected above 0, got 0.0"),
        ({"max_gradient": float("nan")}, "max_gradient: expected above 0, got nan"),
        ({"max_slew": -1.0}, "max_slew: expected above 0, got -1.0"),
        ({"centre_spacing": 0.0}, "centre_spacing: expected above 0, got 0.0"),
        (
            {"centre_spacing": 2.0},
            "edge_spacing: expected at least centre_spacing = 2, got 1.0",
        ),
    ],
)
def test_rejects_what_describes_no_spiral(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        SpiralDesign(**arguments)


def test_rejects_no_interleaves_and_one_sample() -> None:
    with pytest.raises(ValueError, match=r"^n_interleaves: expected 1 or more, got 0$"):
        design_spiral(0, 64, FULL)
    with pytest.raises(ValueError, match=r"^n_samples: expected 2 or more, got 1$"):
        designed_spiral(4, 1, (64, 64), FULL)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"design": FULL}, "design: expected none for radial, .*"),
        (
            {"kind": "spiral", "design": FULL, "n_turns": 2.0},
            "n_turns: expected none beside a design, which gives them .*, got 2.0",
        ),
    ],
)
def test_a_configuration_refuses_a_design_that_it_cannot_use(
    arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        TrajectoryConfig(**arguments)  # type: ignore[arg-type]
