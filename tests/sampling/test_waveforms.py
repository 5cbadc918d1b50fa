"""Gradients and slew rates by numerical derivative, and the times of lobes, worked by hand."""

import pytest
import torch

from mrirecon.sampling import ScannerProfile
from mrirecon.sampling.waveforms import (
    gradient_waveform,
    lobe_time,
    ramp_time,
    slew_waveform,
    transition_time,
)

# Round numbers: 40 MHz/T, 40 mT/m in 0.4 ms.
SCANNER = ScannerProfile("round", 1, max_gradient=0.04, max_slew=100, gyromagnetic_ratio=40e6)


def test_a_constant_gradient_moves_at_constant_speed() -> None:
    """25 mT/m is 1 MHz/m, so that k-space moves by 10 / m in 10 us."""
    wavenumber = torch.arange(5.0).double()[None, :, None] * 10
    gradient = gradient_waveform(wavenumber, 10e-6, 40e6)
    torch.testing.assert_close(gradient, torch.full((1, 4, 1), 0.025).double())
    moving = slew_waveform(gradient, 10e-6, is_at_rest=torch.tensor([False]))
    torch.testing.assert_close(moving, torch.zeros(1, 4, 1).double(), rtol=0, atol=1e-9)
    started = slew_waveform(gradient, 10e-6, is_at_rest=torch.tensor([True]))
    assert started[0, 0].item() == pytest.approx(2500)


def test_a_parabola_has_a_constant_slew_rate() -> None:
    """k = gamma S t^2 / 2 for S = 80 T/m/s, in steps of 4 us."""
    time = 4e-6 * torch.arange(20).double()
    wavenumber = (40e6 * 80 * time**2 / 2)[None, :, None]
    gradient = gradient_waveform(wavenumber, 4e-6, 40e6)
    slew = slew_waveform(gradient, 4e-6, is_at_rest=torch.tensor([True]))
    torch.testing.assert_close(slew[0, 1:], torch.full((18, 1), 80.0).double())
    assert slew[0, 0].item() == pytest.approx(40)  # half a step at the beginning


@pytest.mark.parametrize(
    ("wavenumber", "expected"),
    [
        (0.0, 0.0),
        (160.0, 0.4e-3),  # 4e-6 T s/m: a triangle that reaches 20 mT/m
        (640.0, 0.8e-3),  # the largest triangle
        (1280.0, 1.2e-3),  # 0.4 ms of plateau more
    ],
)
def test_the_shortest_lobe_is_a_triangle_or_a_trapezoid(wavenumber: float, expected: float) -> None:
    assert lobe_time(wavenumber, SCANNER) == pytest.approx(expected)


def test_lobes_and_ramps_end_on_the_raster() -> None:
    """100 / m need 0.316 ms, and 20.5 mT/m 0.205 ms; in steps of 0.01 ms 0.32 and 0.21."""
    assert lobe_time(100, SCANNER) == pytest.approx(0.32e-3)
    assert ramp_time(0.0205, SCANNER) == pytest.approx(0.21e-3)


def test_a_transition_makes_up_for_its_ramp() -> None:
    """A ramp to 20 mT/m takes 0.2 ms and 80 / m, so that the lobe goes 160 / m."""
    assert ramp_time(0.02, SCANNER) == pytest.approx(0.2e-3)
    assert transition_time(80, 0.02, SCANNER) == pytest.approx(0.2e-3 + 0.4e-3)
    assert transition_time(0, 0, SCANNER) == 0
