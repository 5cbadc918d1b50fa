"""Phase between the lines of echo-planar imaging that were read in opposite directions.

Delays of gradients and off-resonance give lines read backwards a constant and a linear phase along
the readout, which puts ghosts into images. Both are found from lines through the centre of k-space,
by autocorrelation: Ahn and Cho 1987, DOI 10.1109/TMI.1987.4307795.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mrirecon.data.readers.measured import Kspace
from mrirecon.fourier import fft_centred, ifft_centred


@dataclass(frozen=True)
class LinePhase:
    """Phase of lines read forwards over that of lines read backwards, turned around."""

    constant: float
    """At the centre of the field of view [rad]."""
    slope: float
    """[rad / pixel] along the readout."""

    def correct(self, line: Kspace) -> Kspace:
        """Give (coils, rows) of a line read backwards the phase of those read forwards."""
        places = np.arange(line.shape[-1]) - line.shape[-1] // 2
        factor = np.exp(1j * (self.constant + self.slope * places)).astype(np.complex64)
        profile = _profile(line) * factor
        corrected: Kspace = fft_centred(torch.from_numpy(profile), dims=(-1,)).numpy()
        return corrected


def find_line_phase(path: Path, lines: Sequence[tuple[Kspace, bool]]) -> LinePhase:
    """Compare lines through the centre of k-space that were read in opposite directions.

    Args:
        path: named in errors.
        lines: (coils, rows) each, turned around where read backwards, and whether they were.

    Raises:
        ValueError: one direction is missing.
    """
    forwards = [line for line, is_backwards in lines if not is_backwards]
    backwards = [line for line, is_backwards in lines if is_backwards]
    if not forwards or not backwards:
        raise ValueError(
            f"{path}: expected phase correction lines (EPI) in both directions, got "
            f"{len(forwards)} forwards and {len(backwards)} backwards"
        )
    one, other = (_profile(np.mean(group, axis=0)) for group in (forwards, backwards))
    difference = (one * other.conj()).sum(axis=0)  # (rows,), weighted by the signal's power
    slope = float(np.angle(np.sum(difference[1:] * difference[:-1].conj())))
    places = np.arange(len(difference)) - len(difference) // 2
    constant = float(np.angle(np.sum(difference * np.exp(-1j * slope * places))))
    return LinePhase(constant, slope)


def _profile(line: Kspace) -> NDArray[np.complex64]:
    """Transform (coils, rows) along the readout."""
    profile: NDArray[np.complex64] = ifft_centred(
        torch.from_numpy(np.ascontiguousarray(line)), dims=(-1,)
    ).numpy()
    return profile
