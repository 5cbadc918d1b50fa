"""Read k-space along a 2-D trajectory from an .npz, whose reader is told what its arrays are."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from mrirecon.data.kspace_file import CoordsUnit, KspaceFile

_OVERSHOOT = 1.0  # [cycles per field of view], as delays of gradients leave beyond the edge


@dataclass(frozen=True)
class TrajectoryOptions:
    """What a person says about an .npz of k-space along a trajectory.

    Attributes:
        kspace: name of the k-space, complex (coils, ..., samples of a readout).
        coords: name of the coordinates, real (..., samples of a readout, 2), the axes between as
            those of the k-space.
        unit: of the coordinates: "field-of-view" (cycles per field of view, up to n / 2), "pixel"
            (cycles per pixel, up to 1/2) or "radian" (per pixel, up to pi).
        grid_shape: rows and cols of the field of view that was encoded, in pixels.
        image_shape: rows and cols to keep about its centre; None keeps all.
        is_col_first: the coordinates are (col, row), as (x, y) is, and not (row, col).
    """

    kspace: str
    coords: str
    unit: CoordsUnit
    grid_shape: tuple[int, int]
    image_shape: tuple[int, int] | None = None
    is_col_first: bool = False

    def __post_init__(self) -> None:
        """Refuse what describes no trajectory.

        Raises:
            ValueError: "name: expected ..., got ...".
        """
        units = [unit for unit in get_args(CoordsUnit) if unit != "per-metre"]
        if self.unit not in units:
            raise ValueError(f"unit: expected one of {', '.join(units)}, got {self.unit!r}")
        for name, shape in (("grid_shape", self.grid_shape), ("image_shape", self.image_shape)):
            if shape is not None and min(shape) < 1:
                raise ValueError(f"{name}: expected sizes of 1 or more, got {shape}")


def read_trajectory(path: Path, options: TrajectoryOptions) -> KspaceFile:
    """Read one slice of k-space and its coordinates.

    A coordinate up to a cycle beyond the edge, as delays of gradients leave it, is moved by the
    period: sampled at the pixels, k and k - n are the same wave.

    Args:
        path: .npz file.
        options: what its arrays are.

    Raises:
        ValueError: damaged file, no such array, shapes that do not fit, NaN, or coordinates that
            are not in the unit.
        OSError: the file cannot be read.
    """
    kspace, coords = _load(path, options)
    if not (torch.view_as_real(kspace).isfinite().all() and coords.isfinite().all()):
        raise ValueError(f"{path}: expected finite k-space and coordinates, got NaN or Inf")
    if not kspace.any():
        raise ValueError(f"{path}: expected measured samples, got zeros alone")
    return KspaceFile(
        kspace.flatten(1)[None],
        mask=None,
        has_slices=False,
        image_shape=options.image_shape or options.grid_shape,
        grid_shape=options.grid_shape,
        coords=_in_cycles(path, coords.flatten(0, -2), options),
    )


def _load(path: Path, options: TrajectoryOptions) -> tuple[Tensor, Tensor]:
    """Read both arrays, and check that they belong together."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in (options.kspace, options.coords)}
    except KeyError as error:
        raise ValueError(f"{path}: expected an array {error}, got none of that name") from None
    except (ValueError, EOFError, AttributeError, BadZipFile, zlib.error) as error:
        raise ValueError(f"{path}: expected an .npz, got a damaged file ({error})") from None
    kspace, coords = found[options.kspace], found[options.coords]
    if not np.iscomplexobj(kspace) or kspace.ndim < 2:
        raise ValueError(
            f"{path}: {options.kspace}: expected complex (coils, ..., samples), "
            f"got {kspace.dtype} {kspace.shape}"
        )
    if not np.isrealobj(coords) or coords.shape != (*kspace.shape[1:], 2):
        raise ValueError(
            f"{path}: {options.coords}: expected real {(*kspace.shape[1:], 2)}, "
            f"got {coords.dtype} {coords.shape}"
        )
    return torch.from_numpy(kspace.astype(np.complex64)), torch.from_numpy(coords).double()


def _in_cycles(path: Path, coords: Tensor, options: TrajectoryOptions) -> Tensor:
    """Convert to cycles per field of view, float32 (samples, 2), order (row, col)."""
    if options.is_col_first:
        coords = coords.flip(-1)
    size = torch.tensor(options.grid_shape)
    per_pixel = {"pixel": 1.0, "radian": 2 * torch.pi}
    if options.unit in per_pixel:
        coords = coords * size / per_pixel[options.unit]
    if bool((coords.abs() > size / 2 + _OVERSHOOT).any()):
        raise ValueError(
            f"{path}: {options.coords}: expected at most n / 2 cycles per field of view for "
            f"{options.grid_shape} pixels, got {float(coords.abs().max()):g}; is the unit right?"
        )
    if bool((coords.abs() < size / 8).all()):
        raise ValueError(
            f"{path}: {options.coords}: expected a trajectory that reaches further out than n / 8, "
            f"got {float(coords.abs().max()):g} cycles per field of view; is the unit right?"
        )
    return (torch.remainder(coords + size / 2, size) - size / 2).float()
