"""Say which limits of a scanner readouts pass, and by how much."""

from mrirecon.sampling.readouts import Readouts
from mrirecon.sampling.scanner import AcquisitionConfig, ScannerProfile

ROUNDING = 1e-6
"""Relative excess over a limit that is rounding: a design at the limit is playable."""


def find_problems(
    readouts: Readouts,
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
    shortest_dwell: float,
    shortest_repetition: float,
) -> tuple[str, ...]:
    """Give one sentence for each limit that is passed.

    Args:
        readouts: what is to be played.
        acquisition: times, and whether the scan is 3-D.
        profile: the limits.
        shortest_dwell: that gradients and receiver can follow, [s].
        shortest_repetition: that all parts of a repetition fit in, [s].

    Returns:
        Sentences without a full stop; none if all can be played.
    """
    return (
        *_dimension_problem(readouts, acquisition),
        *_limit_problems(readouts, profile, shortest_dwell),
        *_receiver_problems(readouts, acquisition, profile),
        *_time_problem(shortest_repetition, acquisition),
    )


def _dimension_problem(readouts: Readouts, acquisition: AcquisitionConfig) -> list[str]:
    if acquisition.is_3d or not readouts.needs_3d:
        return []
    if readouts.kind == "lines":
        return [
            "points of a plane need a 3-D scan (n_partitions above 1), where each is a readout "
            "along the third axis: a 2-D scan reads whole lines, and saves next to nothing"
        ]
    return [f"{readouts.kind} along three axes need a 3-D scan (n_partitions above 1)"]


def _limit_problems(readouts: Readouts, profile: ScannerProfile, dwell: float) -> list[str]:
    gradient, slew = readouts.gradient, readouts.slew
    remedy = f"; dwell times from {1e6 * dwell:.3g} us can be played"
    problems = []
    if gradient > profile.max_gradient * (1 + ROUNDING):
        problems.append(
            f"gradient of {1e3 * gradient:.3g} mT/m is {gradient / profile.max_gradient:.3g} times "
            f"the {1e3 * profile.max_gradient:.3g} mT/m of {profile.name}{remedy}"
        )
    if slew > profile.max_slew * (1 + ROUNDING):
        problems.append(
            f"slew rate of {slew:.3g} T/m/s is {slew / profile.max_slew:.3g} times "
            f"the {profile.max_slew:.3g} T/m/s of {profile.name}{remedy}"
        )
    return problems


def _receiver_problems(
    readouts: Readouts, acquisition: AcquisitionConfig, profile: ScannerProfile
) -> list[str]:
    problems = []
    if acquisition.dwell_time < profile.min_dwell * (1 - ROUNDING):
        problems.append(
            f"dwell time of {1e6 * acquisition.dwell_time:.3g} us is shorter than the "
            f"{1e6 * profile.min_dwell:.3g} us of {profile.name}"
        )
    if readouts.n_samples > profile.max_samples:
        problems.append(
            f"readouts of {readouts.n_samples} samples are longer than the "
            f"{profile.max_samples} of {profile.name}"
        )
    return problems


def _time_problem(shortest: float, acquisition: AcquisitionConfig) -> list[str]:
    if shortest <= acquisition.repetition_time * (1 + ROUNDING):
        return []
    missing = shortest - acquisition.repetition_time
    return [
        f"repetition time of {1e3 * acquisition.repetition_time:.3g} ms is {1e3 * missing:.3g} ms "
        f"too short: excitation, encoding and readouts take {1e3 * shortest:.3g} ms"
    ]
