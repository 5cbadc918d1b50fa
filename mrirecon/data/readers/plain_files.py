"""Write images to files without geometry: .npy, BART .cfl, and HDF5 as fastMRI takes predictions.

fastMRI (Zbontar et al. 2018, arXiv 1811.08839) reads predictions from a dataset `reconstruction`,
(slices, rows, cols).
"""

from pathlib import Path

import h5py
import numpy as np

from mrirecon.data.readers.bart_files import write_cfl
from mrirecon.data.readers.subject import Image
from mrirecon.files import atomic_path

NPY, HDF5, CFL = (".npy",), (".h5", ".hdf5"), (".cfl",)
IMAGE_SUFFIXES = (*NPY, *HDF5, *CFL)


def write_images(path: Path, images: Image) -> None:
    """Write magnitude images, whole or not at all.

    Args:
        path: .npy, .h5, .hdf5 or .cfl file.
        images: float, (slices, rows, cols) or (rows, cols).

    Raises:
        ValueError: the name ends otherwise.
        OSError: the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix in CFL:
        write_cfl(path, images)
    elif suffix in NPY:
        with atomic_path(path) as temporary:
            np.save(temporary, images)
    elif suffix in HDF5:
        with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
            file["reconstruction"] = images.reshape(-1, *images.shape[-2:])
    else:
        raise ValueError(f"{path}: expected a name ending in {', '.join(IMAGE_SUFFIXES)}")
