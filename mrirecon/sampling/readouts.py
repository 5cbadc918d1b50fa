"""What the readouts of a mask or trajectory ask of a scanner, whatever its limits are.

Source of eddy currents from jumps: Bieri, Markl and Scheffler 2005 (DOI 10.1002/mrm.20527).
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mrirecon.sampling.config import RADIAL_STRATEGIES, SamplingConfig
from mrirecon.sampling.masks import make_mask
from mrirecon.sampling.radial import count_spokes
from mrirecon.sampling.scanner import AcquisitionConfig, ScannerProfile
from mrirecon.sampling.trajectory_config import TrajectoryConfig
from mrirecon.sampling.waveforms import AT_CENTRE, gradient_waveform, slew_waveform


@dataclass(frozen=True)
class Edge:
    """State where readouts begin or end.

    Attributes:
        wavenumber: largest distance from the centre of k-space, [1/m].
        gradient: largest there, [T/m]; 0 for readouts that begin at rest.
    """

    wavenumber: float
    gradient: float


@dataclass(frozen=True)
class Readouts:
    """State what the readouts of one average ask for.

    Attributes:
        kind: what one readout is: `lines`, `points`, `spokes` or `interleaves`.
        n_readouts: with those of all partitions.
        n_full: readouts of the full Cartesian scan.
        n_samples: of each readout.
        gradient: largest while samples are taken, [T/m].
        slew: largest while samples are taken, [T/m/s].
        first: the edge at which readouts begin.
        last: the edge at which they end.
        largest_jump: largest distance between the same sample of two successive readouts, in parts
            of k-space's width; the larger, the more eddy currents differ from one to the next.
        needs_3d: whether a 2-D scan cannot play them.
    """

    kind: str
    n_readouts: int
    n_full: int
    n_samples: int
    gradient: float
    slew: float
    first: Edge
    last: Edge
    largest_jump: float
    needs_3d: bool = False


def mask_readouts(
    config: SamplingConfig,
    shape: tuple[int, int],
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
    *,
    seed: int,
) -> Readouts:
    """Find the readouts of a mask: lines, spokes, or points read along the third axis.

    Spokes on the grid are those of the radial trajectory that they stand for. Points in a 2-D scan
    cannot be read one by one: each row (or column, where these are fewer) that holds one is read.
    Lines are taken in their order, points row by row, back and forth.

    Raises:
        ValueError: as `make_mask`.
    """
    if config.strategy in RADIAL_STRATEGIES:
        spokes = TrajectoryConfig(
            n_readouts=count_spokes(config, shape),
            n_samples=max(shape),
            order="golden" if config.strategy == "golden_angle" else "uniform",
            first_angle=config.offset or 0.0,
        )
        return trajectory_readouts(spokes, shape, acquisition, profile)
    mask = make_mask(config, shape, seed=seed)
    if config.is_line_mask:
        axis = 1 if config.axis == "cols" else 0
        return _lines(mask.flatten(), axis, shape, acquisition, profile)
    if acquisition.is_3d:
        return _points(mask, acquisition, profile)
    hit = mask.any(dim=1), mask.any(dim=0)  # rows, cols
    axis = 0 if hit[0].sum() <= hit[1].sum() else 1
    return replace(_lines(hit[axis], axis, shape, acquisition, profile), needs_3d=True)


def trajectory_readouts(
    config: TrajectoryConfig,
    shape: tuple[int, int],
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
) -> Readouts:
    """Find the readouts of a trajectory, repeated for each partition of a 3-D scan."""
    coords = config.coords(shape, torch.float64).unflatten(0, (config.n_readouts, -1))
    kind = "spokes" if config.kind == "radial" else "interleaves"
    return coords_readouts(coords, shape, acquisition, profile, kind=kind)


def coords_readouts(
    coords: Tensor,
    shape: tuple[int, ...],
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
    *,
    kind: str = "readouts",
) -> Readouts:
    """Find what any trajectory asks for, by numerical derivatives along its readouts.

    Args:
        coords: real, (readouts, samples, 2), repeated for each partition of a 3-D scan, or
            (readouts, samples, 3) of a whole slab; [cycles per field of view], (row, col) or
            (depth, row, col). float64 keeps rounding out of the slew rate.
        shape: (rows, cols) or (depth, rows, cols) of the image.
        acquisition: fields of view and dwell time.
        profile: for its gyromagnetic ratio.
        kind: name of the readouts.

    Returns:
        The readouts.

    Raises:
        ValueError: "coords: ..." for another shape, fewer than two samples, or not finite.
    """
    _require_readouts(coords, shape)
    extents = (acquisition.slab_thickness, *acquisition.field_of_view)[-len(shape) :]
    wavenumber = coords.double() / torch.tensor(extents).double()  # [1/m]
    dwell = acquisition.dwell_time
    gradient = gradient_waveform(wavenumber, dwell, profile.gyromagnetic_ratio)
    is_at_rest = coords[:, 0].norm(dim=-1) < AT_CENTRE
    slew = slew_waveform(gradient, dwell, is_at_rest=is_at_rest)
    strength = gradient.norm(dim=-1)  # (readouts, samples - 1)
    beside = _partition_reach(acquisition) if len(shape) == 2 else 0.0
    reach = wavenumber[:, [0, -1]].norm(dim=-1).amax(dim=0).tolist()
    n_partitions = acquisition.n_partitions if len(shape) == 2 else 1
    return Readouts(
        kind=kind,
        n_readouts=coords.shape[0] * n_partitions,
        n_full=min(shape[-2:]) * (n_partitions if len(shape) == 2 else shape[0]),
        n_samples=coords.shape[1],
        gradient=float(strength.max()),
        slew=float(slew.norm(dim=-1).max()),
        first=Edge(math.hypot(reach[0], beside), float((strength[:, 0] * ~is_at_rest).max())),
        last=Edge(math.hypot(reach[1], beside), float(strength[:, -1].max())),
        largest_jump=_largest_jump(coords, shape),
        needs_3d=len(shape) == 3,
    )


def _lines(
    measured: Tensor,
    axis: int,
    shape: tuple[int, int],
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
) -> Readouts:
    """Read along the other axis each line marked in `measured`, bool, (shape[axis],)."""
    n = shape[axis]
    encoded = (measured.nonzero() - n // 2).double()  # (lines, 1), [cycles per field of view]
    n_samples, extent = shape[1 - axis], acquisition.field_of_view[1 - axis]
    encoding = float(encoded.abs().max()) / acquisition.field_of_view[axis]
    gradient = 1 / (extent * acquisition.dwell_time * profile.gyromagnetic_ratio)
    reach = math.hypot(encoding, _partition_reach(acquisition))
    return Readouts(
        kind="lines",
        n_readouts=len(encoded) * acquisition.n_partitions,
        n_full=n * acquisition.n_partitions,
        n_samples=n_samples,
        gradient=gradient,
        slew=0.0,
        first=Edge(math.hypot(n_samples // 2 / extent, reach), gradient),
        last=Edge(math.hypot((n_samples - 1) // 2 / extent, reach), gradient),
        largest_jump=_largest_jump(encoded[:, None], (n,)),
    )


def _points(mask: Tensor, acquisition: AcquisitionConfig, profile: ScannerProfile) -> Readouts:
    """Read each point of a plane along the third axis."""
    shape = (mask.shape[0], mask.shape[1])
    row, col = mask.nonzero().T
    along = torch.where(row % 2 == 0, col, shape[1] - 1 - col)  # each other row backwards
    order = (row * shape[1] + along).argsort()
    encoded = torch.stack([row - shape[0] // 2, col - shape[1] // 2], dim=-1)[order].double()
    extents = torch.tensor(acquisition.field_of_view).double()
    reach = float((encoded / extents).norm(dim=-1).max())
    n_samples, extent = acquisition.n_partitions, acquisition.slab_thickness
    gradient = 1 / (extent * acquisition.dwell_time * profile.gyromagnetic_ratio)
    return Readouts(
        kind="points",
        n_readouts=len(encoded),
        n_full=mask.numel(),
        n_samples=n_samples,
        gradient=gradient,
        slew=0.0,
        first=Edge(math.hypot(n_samples // 2 / extent, reach), gradient),
        last=Edge(math.hypot((n_samples - 1) // 2 / extent, reach), gradient),
        largest_jump=_largest_jump(encoded[:, None], shape),
        needs_3d=True,
    )


def _largest_jump(coords: Tensor, shape: tuple[int, ...]) -> float:
    """Find the longest step from a sample to the same one of the next readout, [of the width]."""
    steps = (coords / torch.tensor(shape)).diff(dim=0)
    return float(steps.norm(dim=-1).max()) if len(steps) else 0.0


def _partition_reach(acquisition: AcquisitionConfig) -> float:
    """Give the distance of the outermost partition from the centre, [1/m]; 0 in 2-D."""
    return acquisition.n_partitions // 2 / acquisition.slab_thickness


def _require_readouts(coords: Tensor, shape: tuple[int, ...]) -> None:
    if coords.ndim != 3 or coords.shape[-1] != len(shape) or len(shape) not in (2, 3):
        expected = f"(readouts, samples, {len(shape)}) for an image {tuple(shape)}"
        raise ValueError(f"coords: expected {expected}, got {tuple(coords.shape)}")
    if coords.shape[0] < 1 or coords.shape[1] < 2:
        expected = "one or more readouts of two or more samples"
        raise ValueError(f"coords: expected {expected}, got {tuple(coords.shape[:2])}")
    if not bool(coords.isfinite().all()):
        raise ValueError("coords: expected finite values, got NaN or infinity")
