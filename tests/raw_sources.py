"""Small DICOM, fastMRI, MRD and BART files for tests, written by the formats' own libraries."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import ismrmrd
import numpy as np
import pydicom
from ismrmrd.xsd import (
    accelerationFactorType,
    encodingLimitsType,
    encodingSpaceType,
    encodingType,
    experimentalConditionsType,
    fieldOfViewMm,
    ismrmrdHeader,
    limitType,
    matrixSizeType,
    parallelImagingType,
    subjectInformationType,
    trajectoryType,
)
from numpy.typing import NDArray
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from mrirecon.data.readers.bart_files import N_DIMENSIONS


def coil_kspace(seed: int, n_coils: int, rows: int, cols: int) -> tuple[NDArray, NDArray]:
    """Make k-space (coils, rows, cols) and the root of the sum of squares of its images."""
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(n_coils, rows, cols, 2)).view(complex)[..., 0]
    axes = (-2, -1)
    spectrum = np.fft.fft2(np.fft.ifftshift(images, axes=axes), axes=axes, norm="ortho")
    kspace = np.fft.fftshift(spectrum, axes=axes).astype(np.complex64)
    return kspace, np.sqrt((np.abs(images) ** 2).sum(axis=0))


def dicom_slice(pixels: NDArray, **elements: object) -> pydicom.Dataset:
    """Make an axial MR image of 1 x 2 mm pixels at the origin; `elements` replace its own."""
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.Modality, dataset.PatientID = "MR", "patient_7"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    dataset.SeriesNumber, dataset.SeriesDescription = 5, "t1 axial"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.PixelSpacing, dataset.SliceThickness = [1, 2], 3
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(dataset, name, value)
    return dataset


def save_dicom(path: Path, dataset: pydicom.Dataset) -> Path:
    """Write a data set as a DICOM file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def save_cfl(path: Path, values: NDArray, dimensions: Sequence[int]) -> Path:
    """Write (..., in BART's order of `dimensions`) as .cfl and .hdr."""
    sizes = [1] * N_DIMENSIONS
    for size, dimension in zip(values.shape, dimensions, strict=True):
        sizes[dimension] = size
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, sizes)) + " \n")
    order = sorted(range(values.ndim), key=lambda axis: dimensions[axis])
    path.write_bytes(values.transpose(order).astype(np.complex64).tobytes(order="F"))
    return path


def header(
    encoded: tuple[int, int],
    shown: tuple[int, int],
    *,
    encoded_fov: tuple[float, float] | None = None,
    shown_fov: tuple[float, float] | None = None,
    trajectory: str = "cartesian",
    centre: int | None = None,
    last: int | None = None,
    depth: int = 1,
    shown_depth: int | None = None,
) -> bytes:
    """Make an ISMRMRD header; a pixel has 1 mm unless fields of view are given."""

    def space(
        matrix: tuple[int, int], fov: tuple[float, float] | None, z: int
    ) -> encodingSpaceType:
        x, y = fov or matrix
        return encodingSpaceType(
            matrixSize=matrixSizeType(x=matrix[0], y=matrix[1], z=z),
            fieldOfView_mm=fieldOfViewMm(x=float(x), y=float(y), z=5.0 * z / depth),
        )

    limits = encodingLimitsType(
        kspace_encoding_step_1=limitType(
            minimum=0,
            maximum=encoded[1] - 1 if last is None else last,
            center=encoded[1] // 2 if centre is None else centre,
        )
    )
    encoding = encodingType(
        encodedSpace=space(encoded, encoded_fov, depth),
        reconSpace=space(shown, shown_fov, depth if shown_depth is None else shown_depth),
        encodingLimits=limits,
        trajectory=trajectoryType(trajectory),
        parallelImaging=parallelImagingType(
            accelerationFactor=accelerationFactorType(
                kspace_encoding_step_1=1, kspace_encoding_step_2=1
            )
        ),
    )
    whole = ismrmrdHeader(
        experimentalConditions=experimentalConditionsType(H1resonanceFrequency_Hz=63_870_000),
        subjectInformation=subjectInformationType(patientID="patient_9"),
        encoding=[encoding],
    )
    return whole.toXML("utf-8").encode()


def acquisition(samples: NDArray, line: int, **settings: int) -> ismrmrd.Acquisition:
    """Make one line of (coils, samples); `settings` name counters or fields of the header."""
    made = ismrmrd.Acquisition.from_array(np.ascontiguousarray(samples, np.complex64))
    made.idx.kspace_encode_step_1 = line
    made.center_sample = samples.shape[-1] // 2
    for name, value in settings.items():
        if name == "flag":
            made.set_flag(value)
        elif hasattr(made.idx, name):
            setattr(made.idx, name, value)
        elif name == "z":
            made.position[2], made.slice_dir[2] = value, 1.0
        else:
            setattr(made, name, value)
    return made


def save_mrd(path: Path, xml: bytes, acquisitions: Sequence[ismrmrd.Acquisition]) -> Path:
    """Write an MRD file."""
    with ismrmrd.File(path, "w") as file:
        dataset = file["dataset"]
        dataset.header = ismrmrd.xsd.CreateFromDocument(xml)
        dataset.acquisitions = list(acquisitions)
    return path


def save_fastmri(path: Path, **datasets: object) -> Path:
    """Write datasets, and `patient_id` and other texts as attributes, as fastMRI does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, value in datasets.items():
            if isinstance(value, str):
                file.attrs[name] = value
            else:
                file[name] = value
    return path
