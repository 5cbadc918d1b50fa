"""Read single-coil k-space, full or undersampled, as `mrirecon reconstruct` takes it.

fastMRI (Zbontar et al. 2018, arXiv 1811.08839): dataset `kspace`, complex, (slices, rows, cols);
files of a test set carry a 1-D `mask` over cols.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mrirecon.data.readers import ArrayOptions, read_source
from mrirecon.data.readers.hdf5 import FASTMRI_KSPACE, hdf5_kind, open_hdf5, require_dataset
from mrirecon.data.readers.kspace import is_full
from mrirecon.data.readers.plain_files import CFL, HDF5, NPY
from mrirecon.data.readers.volume import FileSubject

KSPACE_SUFFIXES = (*NPY, ".npz", *CFL, *HDF5, ".mrd")


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


def read_kspace(path: Path, arrays: ArrayOptions | None = None) -> KspaceFile:
    """Read k-space and find out what of it was measured.

    A sample counts as measured if it is not exactly 0 in some slice, see `is_full`; a
    `mask` in the file goes before that.

    Args:
        path: .npy with complex (rows, cols) or (slices, rows, cols), .npz, .cfl, fastMRI or MRD.
        arrays: axes of .npy and .npz, and the name of the array in .npz.

    Raises:
        ValueError: damaged file, no `kspace`, not complex, several coils, NaN, or all zeros.
        OSError: the file cannot be read.
    """
    options = replace(arrays or ArrayOptions(), contents="kspace")
    mask = None
    if path.suffix in NPY and options.axes is None:
        values = _read_npy(path)
    elif path.suffix in HDF5 and hdf5_kind(path) != "MRD":
        values, mask = _read_hdf5(path)
    else:
        values = _read_subject(path, options)
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
        mask = None if is_full(measured.numpy()) else _simplest(measured)
    elif mask.shape != values.shape[-1:]:
        raise ValueError(f"{path}: mask: expected {values.shape[-1:]}, got {tuple(mask.shape)}")
    return KspaceFile(kspace, mask, values.ndim == 3)


def _read_subject(path: Path, options: ArrayOptions) -> np.ndarray:
    """Read the k-space of the one subject in a file: (slices, rows, cols)."""
    subjects = read_source(path, arrays=options).subjects
    if len(subjects) > 1 or not isinstance(subjects[0], FileSubject):
        names = ", ".join(subject.name for subject in subjects[:3])
        raise ValueError(f"{path}: expected k-space of one volume, got {len(subjects)} ({names})")
    with subjects[0].open() as volume:
        if volume.read_kspace is None:
            raise ValueError(f"{path}: expected k-space, got {volume.origin}")
        kspace = np.stack([volume.read_kspace(number) for number in range(volume.n_slices)])
    return kspace[:, 0] if kspace.shape[1] == 1 else kspace


def _read_npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: expected a NumPy array, got a damaged file ({error})") from None


def _read_hdf5(path: Path) -> tuple[np.ndarray, Tensor | None]:
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    with open_hdf5(path) as file:
        dataset = require_dataset(path, file, FASTMRI_KSPACE)
        has_mask = "mask" in file
        mask = require_dataset(path, file, "mask")[()].astype(bool) if has_mask else None
        return dataset[()], None if mask is None else torch.from_numpy(mask)


def _simplest(measured: Tensor) -> Tensor:
    """Return a mask of whole lines as such, since line masks transform along one axis only."""
    lines = measured.all(dim=0)
    if torch.equal(lines, measured.any(dim=0)):
        return lines
    rows = measured.all(dim=1)
    if torch.equal(rows, measured.any(dim=1)):
        return rows[:, None]
    return measured
