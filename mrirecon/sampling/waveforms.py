"""The gradients that play a trajectory: their strength, their slew, and the time around readouts.

Source: Bernstein, King and Zhou 2004, Handbook of MRI Pulse Sequences (ISBN 978-0-12-092861-3),
chapter 7.
"""

import math

import torch
from torch import Tensor

from mrirecon.sampling.scanner import ScannerProfile

AT_CENTRE = 1e-6
"""[cycles per field of view]; a readout whose first sample is nearer to the centre begins there at
rest, since no gradient has to bring it anywhere."""


def gradient_waveform(wavenumber: Tensor, dwell_time: float, gyromagnetic_ratio: float) -> Tensor:
    """Give the mean gradient between neighbouring samples, G = dk/dt / gamma.

    Args:
        wavenumber: real, (..., samples, ndim), [1/m].
        dwell_time: between samples, [s].
        gyromagnetic_ratio: over 2 pi, [Hz/T].

    Returns:
        real, (..., samples - 1, ndim), [T/m].
    """
    return wavenumber.diff(dim=-2) / (dwell_time * gyromagnetic_ratio)


def slew_waveform(gradient: Tensor, dwell_time: float, *, is_at_rest: Tensor) -> Tensor:
    """Give the mean slew rate between neighbouring gradients, S = dG/dt.

    Args:
        gradient: real, (readouts, samples - 1, ndim), [T/m], as of `gradient_waveform`.
        dwell_time: between samples, [s].
        is_at_rest: bool, (readouts,), where the gradient is 0 before the first sample; elsewhere
            it has its first value already, after a ramp outside the readout.

    Returns:
        real, (readouts, samples - 1, ndim), [T/m/s].
    """
    before = torch.where(is_at_rest[:, None, None], 0, gradient[:, :1])
    return torch.cat([before, gradient], dim=1).diff(dim=1) / dwell_time


def ramp_time(gradient: float, profile: ScannerProfile) -> float:
    """Give the shortest time [s] to reach a gradient [T/m] from 0, on the gradients' raster."""
    return _on_raster(gradient / profile.max_slew, profile)


def lobe_time(wavenumber: float, profile: ScannerProfile) -> float:
    """Give the duration of the shortest gradient that moves k-space by so much, from rest to rest.

    Its moment M = wavenumber / gamma takes a triangle of 2 sqrt(M / slew), or where this would
    pass the largest gradient G a trapezoid of M / G + G / slew, rounded up to the raster.

    Args:
        wavenumber: [1/m], 0 or more.
        profile: the scanner's limits.

    Returns:
        [s].
    """
    moment = wavenumber / profile.gyromagnetic_ratio  # [T s / m]
    if moment <= profile.max_gradient**2 / profile.max_slew:
        return _on_raster(2 * math.sqrt(moment / profile.max_slew), profile)
    plateau_and_ramp = moment / profile.max_gradient + profile.max_gradient / profile.max_slew
    return _on_raster(plateau_and_ramp, profile)


def transition_time(wavenumber: float, gradient: float, profile: ScannerProfile) -> float:
    """Bound the time from the centre at rest to the edge of a readout, or back from there.

    A lobe brings k-space to where the ramp of the readout's own gradient begins; in the worst
    case the ramp leads away from there.

    Args:
        wavenumber: distance of the readout's first or last sample from the centre, [1/m].
        gradient: at that sample, [T/m].
        profile: the scanner's limits.

    Returns:
        [s].
    """
    ramp = ramp_time(gradient, profile)
    during_ramp = profile.gyromagnetic_ratio * gradient * ramp / 2  # [1/m]
    return ramp + lobe_time(wavenumber + during_ramp, profile)


def _on_raster(time: float, profile: ScannerProfile) -> float:
    """Round a time up to a whole number of rasters, [s]; what rounding adds is not counted."""
    return math.ceil(time / profile.gradient_raster - 1e-6) * profile.gradient_raster
