"""What measured k-space shows before it is transformed: sampling, centre, noise."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.noise import Snr, kspace_snr
from mrirecon.data.readers import Subject
from mrirecon.data.readers.kspace import is_full
from mrirecon.data.readers.measured import Kspace
from mrirecon.data.readers.volume import FileSubject, OpenVolume

CENTRE_SLACK = 2
"""Samples by which echoes are off the centre in sound scans; and of 1 / n of an axis, 1 in 50."""


@dataclass(frozen=True)
class KspaceReport:
    """Measured k-space of one subject; of its middle slice."""

    name: str
    n_coils: int
    shape: tuple[int, ...]
    """(rows, cols), or (samples,) along a trajectory."""
    acceleration: float | None
    """Samples of the grid over measured ones, empty edges included; None along a trajectory."""
    peak: tuple[int, int] | None
    """Place of the strongest sample against n // 2, (rows, cols)."""
    snr: Snr

    def __str__(self) -> str:
        """Tell of it in one line."""
        size = " x ".join(map(str, self.shape))
        parts = [f"{self.name}: {self.n_coils} coils of {size} samples"]
        if self.acceleration is not None:
            parts.append(f"acceleration {self.acceleration:.2f}")
        if self.snr.value is not None:
            parts.append(f"SNR {self.snr.value:.3g} by {self.snr.method}")
        return ", ".join(parts)

    @property
    def is_uncentred(self) -> bool:
        """Whether k-space begins with its centre, as the FFT of libraries gives it."""
        if self.peak is None:
            return False
        return all(
            n > 4 * CENTRE_SLACK and abs(abs(offset) - n // 2) <= CENTRE_SLACK
            for offset, n in zip(self.peak, self.shape, strict=True)
        )

    @property
    def is_off_centre(self) -> bool:
        """Whether the centre lies elsewhere than at n // 2."""
        if self.peak is None or self.is_uncentred:
            return False
        return any(
            abs(offset) > max(CENTRE_SLACK, n / 50)
            for offset, n in zip(self.peak, self.shape, strict=True)
        )


def look_at_kspace(subject: Subject) -> KspaceReport | None:
    """Look at the k-space of a subject's middle slice; None if its file has none.

    Raises:
        ValueError: the file is broken.
    """
    if not isinstance(subject, FileSubject):
        return None
    with subject.open() as volume:
        if volume.measure is None:
            return None
        return _report(subject.name, _middle_slice(volume), volume.read_noise())


def _middle_slice(volume: OpenVolume) -> Kspace:
    """Give (coils, rows, cols), or (coils, samples) along a trajectory."""
    assert volume.measure is not None
    if volume.read_kspace is not None:
        # Undersampled 3-D k-space has no slices across the image plane.
        with suppress(ValueError):
            return volume.read_kspace(volume.n_slices // 2)
    kspace = volume.measure().kspace
    middle: Kspace = kspace[len(kspace) // 2]
    return middle


def _report(name: str, kspace: Kspace, noise: Kspace | None) -> KspaceReport:
    if kspace.ndim == 2:
        unknown = Snr(None, "not told along a trajectory")
        return KspaceReport(name, len(kspace), kspace.shape[1:], None, None, unknown)
    measured: NDArray[np.bool_] = np.any(kspace != 0, axis=0)
    is_whole = is_full(measured)
    share = 1.0 if is_whole else float(measured.mean())
    return KspaceReport(
        name,
        len(kspace),
        kspace.shape[1:],
        1 / share if share else None,
        _find_peak(kspace) if share else None,
        kspace_snr(kspace, noise) if is_whole else Snr(None, "not told for undersampled k-space"),
    )


def _find_peak(kspace: Kspace) -> tuple[int, int]:
    """Find the strongest 3 x 3 samples of all coils, against n // 2."""
    power = np.square(np.abs(np.nan_to_num(kspace, posinf=0, neginf=0))).sum(axis=0)
    for axis in (0, 1):
        power = power + np.roll(power, 1, axis) + np.roll(power, -1, axis)
    row, col = np.unravel_index(int(power.argmax()), power.shape)
    return int(row) - power.shape[0] // 2, int(col) - power.shape[1] // 2
