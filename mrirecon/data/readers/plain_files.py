"""Write images of k-space, which has no file of images to take its geometry from.

fastMRI (Zbontar et al. 2018, arXiv 1811.08839) reads predictions from a dataset `reconstruction`,
(slices, rows, cols).
"""

from pathlib import Path

import h5py
import nibabel
import numpy as np
from PIL import Image as Pillow

from mrirecon.data.readers.bart_files import write_cfl
from mrirecon.data.readers.subject import Image
from mrirecon.files import atomic_path

NPY, HDF5, CFL = (".npy",), (".h5", ".hdf5"), (".cfl",)
NIFTI, PNG = (".nii", ".nii.gz"), (".png",)
IMAGE_SUFFIXES = (*NPY, *HDF5, *CFL, *NIFTI, *PNG)
_WHITE = np.iinfo(np.uint16).max


def write_images(
    path: Path, images: Image, voxel_size: tuple[float, float, float] | None = None
) -> None:
    """Write magnitude images, whole or not at all.

    Args:
        path: .npy, .h5, .hdf5 and .cfl keep values; so do .nii and .nii.gz, with the voxel size
            and no orientation; .png keeps 16 bits of one slice, white for its maximum.
        images: float, (slices, rows, cols) or (rows, cols).
        voxel_size: distance between (slices, rows, cols) [mm]; None where it is not known.

    Raises:
        ValueError: the name ends otherwise, or a .png should take several slices.
        OSError: the file cannot be written.
    """
    name = path.name.lower()
    if not name.endswith(IMAGE_SUFFIXES):
        raise ValueError(f"{path}: expected a name ending in {', '.join(IMAGE_SUFFIXES)}")
    slices = images.reshape(-1, *images.shape[-2:])
    if name.endswith(CFL):
        write_cfl(path, images)
        return
    if name.endswith(PNG) and len(slices) != 1:
        raise ValueError(f"{path}: expected one slice for .png, got {len(slices)}; use .nii.gz")
    with atomic_path(path) as temporary:
        if name.endswith(NPY):
            np.save(temporary, images)
        elif name.endswith(HDF5):
            with h5py.File(temporary, "w") as file:
                file["reconstruction"] = slices
        elif name.endswith(NIFTI):
            nibabel.save(_without_orientation(slices, voxel_size), temporary)
        else:
            grey = np.rint(slices[0] * (_WHITE / (slices.max() or 1)))
            Pillow.fromarray(grey.astype(np.uint16)).save(temporary)


def _without_orientation(
    slices: Image, voxel_size: tuple[float, float, float] | None
) -> nibabel.Nifti1Image:
    """Make a volume whose axes, taken as they lie, show the slices upright.

    Without orientation readers take the axes as pointing left, front and up.
    """
    stored = nibabel.Nifti1Image(slices[:, ::-1].transpose(2, 1, 0).astype(np.float32), None)
    if voxel_size is not None:
        stored.header.set_zooms(voxel_size[::-1])
        stored.header.set_xyzt_units("mm")
    return stored
