"""One whole, small file of every kind that the readers take, the same each time."""

from collections.abc import Callable
from pathlib import Path

import h5py
import ismrmrd
import numpy as np
from pydicom.uid import RLELossless
from raw_sources import (
    acquisition,
    coil_kspace,
    dicom_slice,
    header,
    save_cfl,
    save_dicom,
    save_fastmri,
    save_mrd,
)
from sources import random_pixels, save_nifti, save_picture


def save_compressed_fastmri(path: Path) -> Path:
    """Write k-space in compressed chunks, with a header and a target, as fastMRI does."""
    kspace, image = coil_kspace(0, 3, 16, 12)
    with h5py.File(path, "w") as file:
        file.create_dataset("kspace", data=kspace[None], chunks=True, compression="gzip")
        text = header((16, 12), (8, 12))
        file.create_dataset("ismrmrd_header", data=text, dtype=h5py.string_dtype())
        file.attrs["patient_id"] = "p"
        file.attrs["max"] = image.max()
    return path


def save_small_mrd(path: Path) -> Path:
    """Write a slice of two coils."""
    kspace, _ = coil_kspace(0, 2, 16, 12)
    lines = [acquisition(kspace[..., line], line, z=3) for line in range(12)]
    return save_mrd(path, header((16, 12), (8, 12)), lines)


def save_slab_mrd(path: Path) -> Path:
    """Write 3-D encoding of two coils, with a noise scan."""
    kspace = np.stack([coil_kspace(seed, 2, 16, 12)[0] for seed in range(4)])
    noise = acquisition(kspace[0, :, :, 0], 0, flag=ismrmrd.ACQ_IS_NOISE_MEASUREMENT)
    lines = [
        acquisition(kspace[plane, :, :, line], line, kspace_encode_step_2=plane)
        for plane in range(4)
        for line in range(12)
    ]
    return save_mrd(path, header((16, 12), (8, 12), depth=4), [noise, *lines])


def save_epi_mrd(path: Path) -> Path:
    """Write lines read in two directions, after two that tell the phase between them."""
    kspace, _ = coil_kspace(0, 2, 16, 12)
    lines = [acquisition(kspace[..., line], line) for line in range(12)]
    navigators = [acquisition(kspace[..., 6], 0, flag=ismrmrd.ACQ_IS_PHASECORR_DATA) for _ in "ab"]
    for line in (*lines[1::2], navigators[1]):
        line.set_flag(ismrmrd.ACQ_IS_REVERSE)
    return save_mrd(path, header((16, 12), (8, 12), trajectory="epi"), [*navigators, *lines])


def save_radial_mrd(path: Path) -> Path:
    """Write six spokes of two coils."""
    kspace, _ = coil_kspace(0, 2, 16, 6)
    radius = (np.arange(16)[:, None] - 8) / 16
    spokes = []
    for number in range(6):
        direction = np.array([np.cos(number), np.sin(number)])
        positions = (radius * direction).astype(np.float32)
        samples = np.ascontiguousarray(kspace[..., number])
        spoke = ismrmrd.Acquisition.from_array(samples, positions)
        spoke.idx.kspace_encode_step_1 = number
        spokes.append(spoke)
    return save_mrd(path, header((16, 16), (8, 8), trajectory="radial"), spokes)


def save_run_length_dicom(path: Path) -> Path:
    """Write a compressed multi-frame image."""
    pixels = random_pixels(1, (3, 16, 16), "uint16") // 256
    dataset = dicom_slice(pixels, NumberOfFrames=3, SOPInstanceUID="1.2.3.5")
    dataset.compress(RLELossless, generate_instance_uid=False)
    return save_dicom(path, dataset)


def save_plain_dicom(path: Path) -> Path:
    """Write one image, the same each time."""
    return save_dicom(path, dicom_slice(random_pixels(1, (16, 16)), SOPInstanceUID="1.2.3.5"))


def save_npz(path: Path) -> Path:
    """Write k-space in a compressed archive."""
    np.savez_compressed(path, kspace=coil_kspace(0, 1, 16, 12)[0][0])
    return path


def save_npy(path: Path) -> Path:
    """Write k-space as it is."""
    np.save(path, coil_kspace(0, 1, 16, 12)[0][0])
    return path


MAKERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "tiff": ("a.tif", lambda path: save_picture(path, random_pixels(1, (16, 16), "uint16"))),
    "png": ("a.png", lambda path: save_picture(path, random_pixels(1, (16, 16)))),
    "jpeg": ("a.jpg", lambda path: save_picture(path, random_pixels(1, (16, 16)))),
    "nifti": ("a.nii", lambda path: save_nifti(path, random_pixels(1, (6, 7, 8), "int16"))),
    "nifti_gz": ("a.nii.gz", lambda path: save_nifti(path, random_pixels(1, (6, 7, 8), "int16"))),
    "dicom": ("a.dcm", save_plain_dicom),
    "dicom_rle": ("a.dcm", save_run_length_dicom),
    "fastmri": ("a.h5", lambda path: save_fastmri(path, kspace=coil_kspace(0, 2, 16, 12)[0][None])),
    "fastmri_gzip": ("a.h5", save_compressed_fastmri),
    "mrd": ("a.mrd", save_small_mrd),
    "mrd_slab": ("a.mrd", save_slab_mrd),
    "mrd_epi": ("a.mrd", save_epi_mrd),
    "mrd_radial": ("a.mrd", save_radial_mrd),
    "bart": ("a.cfl", lambda path: save_cfl(path, coil_kspace(0, 2, 8, 6)[0], [3, 0, 1])),
    "npy": ("a.npy", save_npy),
    "npz": ("a.npz", save_npz),
}
