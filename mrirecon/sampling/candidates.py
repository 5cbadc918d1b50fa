"""Strategies brought to one scan time, so that they can be compared."""

import dataclasses
import math

from mrirecon.sampling.config import RADIAL_STRATEGIES, WHOLE_SPACINGS, SamplingConfig
from mrirecon.sampling.masks import STRATEGIES, make_mask
from mrirecon.sampling.radial import spokes_acceleration
from mrirecon.sampling.scanner import AcquisitionConfig, ScannerProfile
from mrirecon.sampling.slab_config import SlabConfig, SlabKind
from mrirecon.sampling.spiral_design import SpiralDesign, design_spiral
from mrirecon.sampling.trajectories import Order
from mrirecon.sampling.trajectory_config import TrajectoryConfig

OVERSAMPLING = 2  # of spokes along the readout: nothing beside the field of view folds in
TRAJECTORIES = ("radial_spokes", "tiny_golden_spokes", "spiral", "variable_density_spiral")
CANDIDATES: dict[str, str] = {
    "equispaced": "lines at equal gaps, and the central ones",
    "every_nth": "every n-th line, and the central ones",
    "random": "lines by chance, and the central ones",
    "variable_density": "lines by chance, fewer towards the edges",
    "gaussian": "lines by chance, fewer towards the edges as a Gaussian",
    "partial_fourier": "equispaced in three quarters of the lines",
    "fastmri_random": "as fastMRI's RandomMaskFunc",
    "fastmri_equispaced": "as fastMRI's EquiSpacedMaskFunc",
    "fastmri_equispaced_fraction": "as fastMRI's EquispacedMaskFractionFunc",
    "fastmri_magic": "as fastMRI's MagicMaskFunc",
    "fastmri_magic_fraction": "as fastMRI's MagicMaskFractionFunc",
    "random_2d": "points by chance, and the centre; 3-D scans",
    "variable_density_2d": "points by chance, fewer towards the edges; 3-D scans",
    "gaussian_2d": "points by chance, fewer towards the edges as a Gaussian; 3-D scans",
    "poisson_disc": "points that keep their distance, fewer towards the edges; 3-D scans",
    "radial": "spokes at equal angles, on the grid",
    "golden_angle": "spokes at the golden angle, on the grid",
    "radial_spokes": "spokes at the golden angle, off the grid",
    "tiny_golden_spokes": "spokes at a tiny golden angle, off the grid",
    "spiral": "spirals designed for the scanner, arms at equal distances",
    "variable_density_spiral": "spirals designed for the scanner, arms apart towards the edge",
    "stack_of_stars": "golden spokes in each partition, each turned against the last; 3-D scans",
    "kooshball": "spokes in every direction of space, by golden means; 3-D scans",
}
"""What `make_candidate` knows: the strategies, and trajectories off the grid."""

Candidate = SamplingConfig | TrajectoryConfig | SlabConfig
SLABS: tuple[SlabKind, ...] = ("stack_of_stars", "kooshball")


def make_candidate(
    name: str,
    shape: tuple[int, int],
    scan_time_factor: float,
    *,
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
    calibration: int | None = None,
    seed: int = 0,
) -> Candidate:
    """Describe a strategy whose scan is this many times shorter than the full Cartesian one.

    Readouts count, as for `MaskSummary.scan_time_factor`: those of lines and points exactly, where
    their number allows it. Of line spacings that are whole numbers the smallest is taken that is
    not slower; fastMRI's other kinds come near.

    Args:
        name: one of `CANDIDATES`. `partial_fourier` is `equispaced` in three quarters of the lines;
            spokes off the grid follow the golden or tiny golden angle; spirals are designed for the
            scanner, with even arms or arms twice as far apart at the edge as at the centre.
        shape: (rows, cols) of the image.
        scan_time_factor: at least 1.
        acquisition: dwell time and field of view of spirals, and the number of partitions.
        profile: limits that spirals are designed for.
        calibration: fully sampled lines, or side of the square, at the centre; None as in
            `SamplingConfig`. Spokes and spirals have none.
        seed: of the masks whose scan time is measured.

    Returns:
        A mask's or a trajectory's description.

    Raises:
        ValueError: no such candidate, "acceleration: ..." where it cannot be so short, or
            "n_partitions: ..." where it needs a 3-D scan.

    Examples:
        >>> from mrirecon.sampling import CLINICAL_3T, AcquisitionConfig, make_candidate
        >>> scan = {"acquisition": AcquisitionConfig(), "profile": CLINICAL_3T}
        >>> make_candidate("radial_spokes", (256, 256), 4, **scan).n_readouts
        64
    """
    if name not in CANDIDATES:
        raise ValueError(f"strategy: expected one of {', '.join(CANDIDATES)}, got {name!r}")
    if not 1 <= scan_time_factor < math.inf:
        raise ValueError(f"scan_time_factor: expected 1 or more, got {scan_time_factor}")
    n_readouts = max(1, round(min(shape) / scan_time_factor))
    crosses_centre = name in (*TRAJECTORIES, *RADIAL_STRATEGIES, *SLABS)
    if crosses_centre and scan_time_factor > min(shape):
        expected = f"at most {min(shape)}, which is one readout"
        raise ValueError(f"acceleration: expected {expected}, got {scan_time_factor:g}")
    for kind in SLABS:
        if name == kind:
            return _slab(kind, shape, scan_time_factor, acquisition)
    if name in TRAJECTORIES:
        return _trajectory(name, shape, n_readouts, acquisition, profile)
    if name == "partial_fourier":
        return SamplingConfig("equispaced", scan_time_factor, calibration, partial_fourier=0.75)
    strategy = next(known for known in STRATEGIES if known == name)
    if strategy in RADIAL_STRATEGIES:
        config = SamplingConfig(strategy)
        return SamplingConfig(strategy, spokes_acceleration(config, n_readouts, shape))
    if strategy in WHOLE_SPACINGS:
        config = SamplingConfig(strategy, 1.0, calibration)
        return _fast_spacing(config, shape, scan_time_factor, seed)
    return SamplingConfig(strategy, scan_time_factor, calibration)


def _fast_spacing(
    config: SamplingConfig, shape: tuple[int, int], scan_time_factor: float, seed: int
) -> SamplingConfig:
    """Find the smallest whole acceleration whose lines and central lines are few enough."""
    most = shape[1] / scan_time_factor
    for spacing in range(1, shape[1] + 1):
        option = dataclasses.replace(config, acceleration=float(spacing))
        if 0 < int(make_mask(option, shape, seed=seed).sum()) <= most:
            return option
    raise ValueError(
        f"acceleration: expected less for {config.strategy} with its central lines, "
        f"got {scan_time_factor:g}"
    )


def _slab(
    kind: SlabKind,
    shape: tuple[int, int],
    scan_time_factor: float,
    acquisition: AcquisitionConfig,
) -> SlabConfig:
    """Share the readouts of a slab: as many in each partition, or all in one kooshball."""
    if not acquisition.is_3d:
        raise ValueError(f"n_partitions: expected a 3-D scan, above 1, for {kind}, got 1")
    n_shared = acquisition.n_partitions if kind == "kooshball" else 1
    n_spokes = max(1, round(min(shape) * n_shared / scan_time_factor))
    return SlabConfig(kind, n_spokes, OVERSAMPLING * max(shape))


def _trajectory(
    name: str,
    shape: tuple[int, int],
    n_readouts: int,
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
) -> TrajectoryConfig:
    if name.endswith("spokes"):
        order: Order = "tiny_golden" if name == "tiny_golden_spokes" else "golden"
        return TrajectoryConfig("radial", n_readouts, OVERSAMPLING * max(shape), order)
    design = SpiralDesign(
        pixel_size=min(view / n for view, n in zip(acquisition.field_of_view, shape, strict=True)),
        max_gradient=profile.max_gradient,
        max_slew=profile.max_slew,
        edge_spacing=2.0 if name == "variable_density_spiral" else 1.0,
        gyromagnetic_ratio=profile.gyromagnetic_ratio,
    )
    duration = design_spiral(n_readouts, max(shape), design).duration
    n_samples = max(2, math.ceil(duration / acquisition.dwell_time))
    return TrajectoryConfig("spiral", n_readouts, n_samples, "uniform", design=design)
