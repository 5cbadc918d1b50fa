"""Whether a scanner can play a strategy, why not and by how much, and how long the scan takes."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mrirecon.sampling.config import SamplingConfig
from mrirecon.sampling.limits import find_problems
from mrirecon.sampling.readouts import Readouts, coords_readouts, mask_readouts, trajectory_readouts
from mrirecon.sampling.scanner import AcquisitionConfig, ScannerProfile
from mrirecon.sampling.slab_config import SlabConfig
from mrirecon.sampling.trajectory_config import TrajectoryConfig
from mrirecon.sampling.waveforms import transition_time


@dataclass(frozen=True)
class Feasibility:
    """State what a strategy asks of a scanner, and whether that is within its limits.

    Attributes:
        readouts: what they are and what they ask for.
        profile: the scanner.
        acquisition: what it was asked to play.
        n_excitations: of the scan, with all partitions and averages.
        full_scan_excitations: of the full Cartesian scan.
        readout_time: of one readout, [s].
        shortest_repetition_time: that excitation, readouts and the gradients between them fit in,
            [s].
        full_scan_repetition_time: the shortest of the full Cartesian scan, [s].
        shortest_dwell_time: at which gradients and receiver can follow, [s]. Played slower by c,
            a trajectory needs 1 / c of the gradient and 1 / c^2 of the slew rate.
        problems: one sentence for each limit that is passed, with why and by how much; empty if
            the scanner can play it.
    """

    readouts: Readouts
    profile: ScannerProfile
    acquisition: AcquisitionConfig
    n_excitations: int
    full_scan_excitations: int
    readout_time: float
    shortest_repetition_time: float
    full_scan_repetition_time: float
    shortest_dwell_time: float
    problems: tuple[str, ...]

    @property
    def is_playable(self) -> bool:
        """Whether no limit is passed."""
        return not self.problems

    @property
    def is_2d_acquirable(self) -> bool:
        """Whether a 2-D scan can play it: all but points of a plane, and readouts of a slab."""
        return not self.readouts.needs_3d

    @property
    def is_3d_acquirable(self) -> bool:
        """Whether a 3-D scan can: always, since what is 2-D is repeated for each partition."""
        return True

    @property
    def max_gradient(self) -> float:
        """Largest gradient while samples are taken, [T/m]."""
        return self.readouts.gradient

    @property
    def max_slew(self) -> float:
        """Largest slew rate while samples are taken, [T/m/s]."""
        return self.readouts.slew

    @property
    def largest_jump(self) -> float:
        """Largest step between successive readouts, in parts of k-space's width."""
        return self.readouts.largest_jump

    @property
    def scan_time(self) -> float:
        """Excitations times repetition time, [s]."""
        return self.n_excitations * self.acquisition.repetition_time

    @property
    def full_scan_time(self) -> float:
        """Of the full Cartesian scan with the same repetition time, [s]."""
        return self.full_scan_excitations * self.acquisition.repetition_time

    @property
    def scan_time_factor(self) -> float:
        """How many times shorter the scan is than the full Cartesian one."""
        return self.full_scan_excitations / self.n_excitations

    @property
    def fastest_scan_time_factor(self) -> float:
        """How many times shorter the scan is with the shortest repetition time of each.

        Readouts that are longer than lines save less than their number says.
        """
        own = self.n_excitations * self.shortest_repetition_time
        return self.full_scan_excitations * self.full_scan_repetition_time / own

    def describe(self) -> str:
        """Give the most important figures as one line of text."""
        return (
            f"{self.n_excitations} excitations, {self.scan_time:.3g} s instead of "
            f"{self.full_scan_time:.3g} s (/ {self.scan_time_factor:.2f}), readout "
            f"{1e3 * self.readout_time:.3g} ms, {1e3 * self.max_gradient:.3g} mT/m, "
            f"{round(self.max_slew, 3):.3g} T/m/s, "
            f"largest jump {100 * self.largest_jump:.0f} % of k-space"
        )


def check_feasibility(
    undersampling: SamplingConfig | TrajectoryConfig | SlabConfig,
    shape: tuple[int, int],
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
    *,
    seed: int = 0,
) -> Feasibility:
    """Check a strategy against a scanner's limits, and time the scan.

    Gradient and slew rate are those while samples are taken. The lobes that encode lines, lead to
    a readout's first sample and back are played at the limits, so that they only take time.

    Args:
        undersampling: a mask's or a trajectory's description; that of a slab is of the
            acquisition's partitions.
        shape: (rows, cols) of the image.
        acquisition: times and fields of view.
        profile: the scanner's limits.
        seed: of the mask that is examined.

    Returns:
        What it takes, with the problems found.

    Raises:
        ValueError: the undersampling does not fit the shape.

    Examples:
        >>> from mrirecon.sampling import AcquisitionConfig, SamplingConfig
        >>> from mrirecon.sampling import CLINICAL_3T, check_feasibility
        >>> lines = SamplingConfig("variable_density", acceleration=4)
        >>> found = check_feasibility(lines, (256, 256), AcquisitionConfig(), CLINICAL_3T)
        >>> found.problems
        ()
    """
    if isinstance(undersampling, SlabConfig):
        volume = (acquisition.n_partitions, *shape)
        coords = undersampling.coords(volume, torch.float64)
        by_readout = coords.unflatten(0, (-1, undersampling.n_samples))
        readouts = coords_readouts(by_readout, volume, acquisition, profile, kind="spokes")
        return _judge(readouts, volume, acquisition, profile)
    if isinstance(undersampling, TrajectoryConfig):
        readouts = trajectory_readouts(undersampling, shape, acquisition, profile)
    else:
        readouts = mask_readouts(undersampling, shape, acquisition, profile, seed=seed)
    return _judge(readouts, shape, acquisition, profile)


def check_coords(
    coords: Tensor,
    shape: tuple[int, ...],
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
) -> Feasibility:
    """Check any trajectory against a scanner's limits, and time the scan.

    Args:
        coords: float64, (readouts, samples, 2), repeated for each partition of a 3-D scan, or
            (readouts, samples, 3); [cycles per field of view], (row, col) or (depth, row, col).
        shape: (rows, cols) or (depth, rows, cols) of the image.
        acquisition: times and fields of view.
        profile: the scanner's limits.

    Returns:
        As `check_feasibility`.

    Raises:
        ValueError: "coords: ..." for other points or shapes.
    """
    readouts = coords_readouts(coords, shape, acquisition, profile)
    return _judge(readouts, shape, acquisition, profile)


def _judge(
    readouts: Readouts,
    shape: tuple[int, ...],
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
) -> Feasibility:
    train, averages = acquisition.readouts_per_excitation, acquisition.n_averages
    dwell = acquisition.dwell_time
    shortest_dwell = max(
        profile.min_dwell,
        dwell * readouts.gradient / profile.max_gradient,
        dwell * math.sqrt(readouts.slew / profile.max_slew),
    )
    repetition = _shortest_repetition(readouts, acquisition, profile)
    full = readouts if readouts.kind == "lines" else _full_scan(shape, acquisition, profile)
    return Feasibility(
        readouts=readouts,
        profile=profile,
        acquisition=acquisition,
        n_excitations=math.ceil(readouts.n_readouts / train) * averages,
        full_scan_excitations=math.ceil(readouts.n_full / train) * averages,
        readout_time=readouts.n_samples * dwell,
        shortest_repetition_time=repetition,
        full_scan_repetition_time=_shortest_repetition(full, acquisition, profile),
        shortest_dwell_time=shortest_dwell,
        problems=find_problems(readouts, acquisition, profile, shortest_dwell, repetition),
    )


def _full_scan(
    shape: tuple[int, ...], acquisition: AcquisitionConfig, profile: ScannerProfile
) -> Readouts:
    """Give the readouts of all lines, along the longer axis of the plane."""
    rows, cols = shape[-2:]
    axis: Literal["cols", "rows"] = "cols" if cols <= rows else "rows"
    lines = SamplingConfig("every_nth", acceleration=1, calibration=0, axis=axis, offset=0)
    return mask_readouts(lines, (rows, cols), acquisition, profile, seed=0)


def _shortest_repetition(
    readouts: Readouts, acquisition: AcquisitionConfig, profile: ScannerProfile
) -> float:
    """Add up excitation, and the way to, along and back from each readout, [s]."""
    around = sum(
        transition_time(edge.wavenumber, edge.gradient, profile)
        for edge in (readouts.first, readouts.last)
    )
    once = readouts.n_samples * acquisition.dwell_time + around
    return acquisition.excitation_time + acquisition.readouts_per_excitation * once
