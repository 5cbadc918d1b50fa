"""Read measured k-space, full or undersampled, on the grid or along a trajectory.

fastMRI (Zbontar et al. 2018, arXiv 1811.08839): dataset `kspace`, complex, (slices, [coils,] rows,
cols); files of a test set carry a 1-D `mask` over cols. MRD: Inati et al. 2017,
DOI 10.1002/mrm.26089.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.data.readers import ArrayOptions, read_source
from mrirecon.data.readers.arrays import load_numbers
from mrirecon.data.readers.fastmri import measure_fastmri
from mrirecon.data.readers.hdf5 import hdf5_kind
from mrirecon.data.readers.kspace import is_full
from mrirecon.data.readers.measured import Measured
from mrirecon.data.readers.plain_files import CFL, HDF5, NPY
from mrirecon.data.readers.subject import Subject
from mrirecon.data.readers.volume import FileSubject

KSPACE_SUFFIXES = (*NPY, ".npz", *CFL, *HDF5, ".mrd")
CoordsUnit = Literal["field-of-view", "pixel", "radian", "per-metre"]
"""Of a trajectory in a file: cycles per field of view, cycles or radians per pixel, or 1/m."""
LEAST_REACH = 0.125
"""A trajectory that stays within this part of the grid's range has another unit than was said."""

_ROUNDING = 1e-6  # of coordinates in float32


@dataclass(frozen=True)
class KspaceFile:
    """K-space of one volume.

    3-D Cartesian k-space of MRD files comes transformed along the readout: its slices are places
    along the readout, its rows the second and its cols the first phase encoding.

    Attributes:
        kspace: complex64, (slices, coils, rows, cols), centre at n // 2, 0 where not measured;
            along a trajectory (slices, coils, samples).
        mask: bool, (cols,), (rows, 1), (rows, cols) or (slices, rows, cols), True is measured; None
            where every sample is, and along a trajectory.
        has_slices: whether the file has an axis of slices, which its images then have too.
        image_shape: (rows, cols), or (depth, rows, cols) along a 3-D trajectory, to crop images to
            about their centre: without readout oversampling.
        grid_shape: of the images before, for `Nufft`; (rows, cols) of `kspace` on the grid.
        coords: float32, (samples, ndim), or (slices, samples, ndim) where slices differ, in cycles
            per field of view of `grid_shape`, order (row, col) or (depth, row, col); None on the
            grid.
        voxel_size: distance between (slices, rows, cols) [mm]; None where the file does not tell.
        noise: complex64, (coils, samples), for `prewhiten`; None where the file has none.
        notes: what one should know; one line each.
    """

    kspace: Tensor
    mask: Tensor | None
    has_slices: bool
    image_shape: tuple[int, ...]
    grid_shape: tuple[int, ...]
    coords: Tensor | None = None
    voxel_size: tuple[float, float, float] | None = None
    noise: Tensor | None = None
    notes: tuple[str, ...] = ()


def read_kspace(
    path: Path,
    arrays: ArrayOptions | None = None,
    *,
    volume: str | None = None,
    coords_unit: CoordsUnit | None = None,
) -> KspaceFile:
    """Read k-space and find out what of it was measured.

    MRD files count their samples and fastMRI's may have a `mask`. In all others a sample counts as
    measured if it is not exactly 0 in some slice and coil, see `is_full`.

    Args:
        path: .npy with complex (rows, cols) or (slices, rows, cols), .npz, .cfl, fastMRI or MRD.
        arrays: axes of .npy and .npz, and the name of the array in .npz.
        volume: name of one of several volumes in the file, as `read_source` gives them.
        coords_unit: of the trajectory in the file, which MRD does not tell.

    Raises:
        ValueError: damaged file, no k-space, not complex, NaN, or all zeros; several volumes and
            none chosen; a trajectory without a unit, or out of the unit's range.
        OSError: the file cannot be read.
    """
    options = replace(arrays or ArrayOptions(), contents="kspace")
    has_slices = True
    if path.suffix in NPY and options.axes is None:
        measured, has_slices = _read_npy(path)
    elif path.suffix in HDF5 and hdf5_kind(path) != "MRD":
        measured = measure_fastmri(path)
    else:
        measured = _read_volume(path, options, volume)
    kspace = torch.from_numpy(np.ascontiguousarray(measured.kspace))
    if not torch.view_as_real(kspace).isfinite().all():
        raise ValueError(f"{path}: expected finite k-space, got NaN or Inf")
    if not kspace.any():
        raise ValueError(f"{path}: expected measured samples, got zeros alone")
    return KspaceFile(
        kspace,
        _find_mask(measured) if measured.positions is None else None,
        has_slices,
        image_shape=measured.image_shape,
        grid_shape=measured.grid_shape,
        coords=_find_coords(path, measured, coords_unit),
        voxel_size=measured.voxel_size,
        noise=None if measured.noise is None else torch.from_numpy(measured.noise),
        notes=measured.notes,
    )


def _read_npy(path: Path) -> tuple[Measured, bool]:
    """Read (rows, cols) or (slices, rows, cols), and tell whether there are slices."""
    values = load_numbers(path)
    if not np.iscomplexobj(values):
        raise ValueError(f"{path}: expected complex k-space, got {values.dtype}")
    if values.ndim not in (2, 3):
        raise ValueError(
            f"{path}: expected k-space (rows, cols) or (slices, rows, cols), or a name for each "
            f"axis (--axes), got {values.shape}"
        )
    shape = values.shape[-2:]
    kspace = values.astype(np.complex64).reshape(-1, 1, *shape)
    return Measured(kspace, shape, shape), values.ndim == 3


def _read_volume(path: Path, options: ArrayOptions, volume: str | None) -> Measured:
    """Read the one volume of a file, or that of a name."""
    subject = _choose(path, read_source(path, arrays=options).subjects, volume)
    if not isinstance(subject, FileSubject):
        raise ValueError(f"{path}: expected k-space, got {subject.origin}")
    with subject.open() as opened:
        if opened.measure is None:
            raise ValueError(f"{path}: expected k-space, got {opened.origin}")
        return opened.measure()


def _choose(path: Path, subjects: tuple[Subject, ...], volume: str | None) -> Subject:
    names = ", ".join(subject.name for subject in subjects[:8])
    chosen = [subject for subject in subjects if volume in (None, subject.name)]
    if not chosen:
        raise ValueError(f"volume: expected one of {names} ({path}), got {volume!r}")
    if len(chosen) > 1:
        raise ValueError(f"{path}: expected k-space of one volume, got {len(chosen)} ({names})")
    return chosen[0]


def _find_mask(measured: Measured) -> Tensor | None:
    """Tell what was measured on the grid, None if all was."""
    if measured.was_measured is None:
        plane = (measured.kspace != 0).any(axis=(0, 1))  # (rows, cols)
        return None if is_full(plane) else _simplest(torch.from_numpy(plane))
    planes: NDArray[np.bool_] = measured.was_measured  # (slices, rows, cols)
    if planes.all():
        return None
    if (planes == planes[:1]).all():
        return _simplest(torch.from_numpy(planes[0].copy()))
    return torch.from_numpy(planes.copy())


def _simplest(measured: Tensor) -> Tensor:
    """Return a mask of whole lines as such, since line masks transform along one axis only."""
    lines = measured.all(dim=0)
    if torch.equal(lines, measured.any(dim=0)):
        return lines
    rows = measured.all(dim=1)
    if torch.equal(rows, measured.any(dim=1)):
        return rows[:, None]
    return measured


def _find_coords(path: Path, measured: Measured, unit: CoordsUnit | None) -> Tensor | None:
    """Convert a trajectory, and join it with the partitions of a stack."""
    if measured.positions is None:
        return None
    positions = torch.from_numpy(measured.positions)  # (slices, samples, 2 or 3)
    if unit is None:
        raise ValueError(
            f"{path}: expected to be told the unit of the trajectory (coords_unit: "
            f"{', '.join(get_args(CoordsUnit))}), got none; its largest coordinate is "
            f"{float(positions.abs().max()):g}"
        )
    if positions.shape[-1] == 3:
        positions = positions.roll(1, dims=-1)  # (row, col, depth) to (depth, row, col)
    coords = _convert(path, positions, measured, unit)
    if measured.partitions is not None:
        coords = torch.cat([torch.from_numpy(measured.partitions)[..., None], coords], dim=-1)
    is_same = bool((coords == coords[:1]).all())
    return coords[0].contiguous() if is_same else coords


def _convert(path: Path, positions: Tensor, measured: Measured, unit: CoordsUnit) -> Tensor:
    """Convert to cycles per field of view, and check that the unit is that of the values.

    A coordinate up to a cycle beyond the edge, as delays of gradients leave it, is moved by the
    period: sampled at the pixels, k and k - n are the same wave.
    """
    shape = measured.grid_shape[-positions.shape[-1] :]
    size = torch.tensor(shape, dtype=torch.float64)
    coords = positions.double() * _cycles_per_unit(path, shape, measured, unit)
    if not torch.all(coords.abs() <= size / 2 + 1):
        worst = float((coords.abs() / size).nan_to_num(torch.inf).max())
        raise ValueError(
            f"{path}: expected a trajectory in {unit} that reaches out to 0.5 cycles per pixel, "
            f"got {worst:.3g}; is the unit right?"
        )
    reach = float((coords.abs() / size).max())
    if reach < LEAST_REACH:
        raise ValueError(
            f"{path}: expected a trajectory in {unit} that reaches further out than "
            f"{LEAST_REACH} cycles per pixel, got {reach:.2g}; is the unit right?"
        )
    edge = size / 2
    is_beyond = coords.abs() > edge * (1 + _ROUNDING)
    wrapped = torch.where(is_beyond, coords - size * coords.sign(), coords)
    return torch.minimum(torch.maximum(wrapped, -edge), edge).float()


def _cycles_per_unit(
    path: Path, shape: tuple[int, ...], measured: Measured, unit: CoordsUnit
) -> Tensor:
    """Give the factors to cycles per field of view along each axis."""
    size = torch.tensor(shape, dtype=torch.float64)
    if unit == "per-metre" and measured.voxel_size is None:
        raise ValueError(f"{path}: coords_unit: expected a field of view for per-metre, got none")
    pixel = torch.tensor(measured.voxel_size or (0, 0, 0), dtype=torch.float64)[-len(shape) :]
    factors = {
        "field-of-view": torch.ones_like(size),
        "pixel": size,
        "radian": size / (2 * math.pi),
        "per-metre": size * pixel / 1000,
    }
    if unit not in factors:
        raise ValueError(f"{path}: coords_unit: expected one of {', '.join(factors)}, got {unit!r}")
    return factors[unit]
