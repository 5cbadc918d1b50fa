"""Read single-coil k-space from .npy and fastMRI HDF5 files, and write the reconstructed images.

fastMRI (Zbontar et al. 2018, arXiv 1811.08839): dataset `kspace`, complex, (slices, rows, cols);
files of a test set carry a 1-D `mask` over cols; predictions go to a dataset `reconstruction`.
"""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor

from mrirecon.files import atomic_path

NPY, HDF5 = (".npy",), (".h5", ".hdf5")
KSPACE_SUFFIXES = NPY + HDF5
MOST_CHANCE_ZEROS = 0.1
"""Raw samples are counts of a converter, so that some are 0 by chance: up to this part of them, and
no whole line, full k-space is still taken for full."""


@dataclass(frozen=True)
class KspaceFile:
    """K-space of one file.

    Attributes:
        kspace: complex64, (slices, 1, rows, cols), centre at n // 2.
        mask: bool, (cols,) or (rows, cols), True is measured; None where every sample is.
        has_slices: whether the file has an axis of slices, which its images then have too.
    """

    kspace: Tensor
    mask: Tensor | None
    has_slices: bool


def read_kspace(path: Path) -> KspaceFile:
    """Read k-space and find out what of it was measured.

    A sample counts as measured if it is not exactly 0 in some slice, see `MOST_CHANCE_ZEROS`; a
    `mask` in the file goes before that.

    Args:
        path: .npy with complex (rows, cols) or (slices, rows, cols), or fastMRI HDF5.

    Raises:
        ValueError: damaged file, no `kspace`, not complex, several coils, NaN, or all zeros.
        OSError: the file cannot be read.
    """
    values, mask = _read_npy(path) if path.suffix in NPY else _read_hdf5(path)
    if not np.iscomplexobj(values):
        raise ValueError(f"{path}: expected complex k-space, got {values.dtype}")
    if values.ndim not in (2, 3):
        raise ValueError(
            f"{path}: expected k-space of one coil, (rows, cols) or (slices, rows, cols), "
            f"got {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{path}: expected finite k-space, got NaN or Inf")
    kspace = torch.from_numpy(values.astype(np.complex64)).reshape(-1, 1, *values.shape[-2:])
    if mask is None:
        measured = (kspace != 0).any(dim=0)[0]  # (rows, cols)
        if not measured.any():
            raise ValueError(f"{path}: expected measured samples, got zeros alone")
        mask = None if _is_full(measured) else _simplest(measured)
    elif mask.shape != values.shape[-1:]:
        raise ValueError(f"{path}: mask: expected {values.shape[-1:]}, got {tuple(mask.shape)}")
    return KspaceFile(kspace, mask, values.ndim == 3)


def write_images(path: Path, images: Tensor, *, has_slices: bool) -> None:
    """Write magnitude images beside their kind of k-space, whole or not at all.

    Args:
        path: .npy, or HDF5 that gets the dataset `reconstruction`.
        images: float32, (slices, rows, cols), in the unit of the k-space.
        has_slices: False leaves the axis of slices out of a .npy file.
    """
    values = images.numpy() if has_slices or path.suffix in HDF5 else images[0].numpy()
    with atomic_path(path) as temporary:
        if path.suffix in NPY:
            np.save(temporary, values)
        else:
            with h5py.File(temporary, "w") as file:
                file["reconstruction"] = values


def _read_npy(path: Path) -> tuple[np.ndarray, None]:
    try:
        return np.load(path, allow_pickle=False), None
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: expected a NumPy array, got a damaged file ({error})") from None


def _read_hdf5(path: Path) -> tuple[np.ndarray, Tensor | None]:
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with h5py.File(path) as file:
            if "kspace" not in file:
                found = ", ".join(file) or "nothing"
                raise ValueError(f"{path}: expected a dataset kspace, got {found}")
            mask = torch.from_numpy(file["mask"][()].astype(bool)) if "mask" in file else None
            return file["kspace"][()], mask
    except OSError as error:
        raise ValueError(f"{path}: expected an HDF5 file, got a damaged one ({error})") from None


def _is_full(measured: Tensor) -> bool:
    zeros = 1 - measured.float().mean().item()
    no_line_missing = measured.any(dim=0).all() and measured.any(dim=1).all()
    return zeros <= MOST_CHANCE_ZEROS and bool(no_line_missing)


def _simplest(measured: Tensor) -> Tensor:
    """Return a mask of whole lines as such, since line masks transform along one axis only."""
    lines = measured.all(dim=0)
    if torch.equal(lines, measured.any(dim=0)):
        return lines
    rows = measured.all(dim=1)
    if torch.equal(rows, measured.any(dim=1)):
        return rows[:, None]
    return measured
