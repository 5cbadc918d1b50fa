"""The frames of DICOM files: where each lies, in which units its pixels are, and the pixels.

Tags and geometry: DICOM PS3.3, C.7.6.2 (image plane), C.7.6.16 (multi-frame functional groups),
C.11.1 (modality LUT: value = slope * stored + intercept).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.pixels.utils import pixel_array

from mrirecon.data.readers.dicom_files import naming, read_dataset
from mrirecon.data.readers.subject import Image, require_believable_size, storage_dtype

_DIRECTORY = "1.2.840.10008.1.3.10"  # SOP class of a DICOMDIR
_PHASE_TYPES = {"P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY"}


@dataclass(frozen=True)
class Frame:
    """One slice in a DICOM file, before its pixels are decoded."""

    file: Path
    index: int | None
    """Of the frame in a multi-frame file; None for a file of one image."""
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    """Of the pixels in the units of the file: float32 where they are scaled."""
    slope: float
    intercept: float
    is_inverted: bool
    """MONOCHROME1: small stored values are bright."""
    position: float | None
    """Along the normal of the slice [mm]; None where the file does not tell."""
    spacing: tuple[float, float] | None
    """Between (rows, cols) [mm]."""
    thickness: float | None
    """Of the slice [mm]."""
    number: int
    """InstanceNumber, 0 if there is none."""
    volume: tuple[str, ...]
    """What frames of one volume have in common: series, echo, time, type, size, orientation."""
    patient: str | None
    series_number: int
    is_lossy: bool
    fault: str | None = None
    """Why the file cannot be used."""

    @property
    def is_scaled(self) -> bool:
        """Whether stored values are not the values themselves."""
        return (self.slope, self.intercept) != (1.0, 0.0)


def read_frames(path: Path) -> list[Frame]:
    """Describe the frames of a file; none for a directory file (DICOMDIR) or a phase image.

    A file that cannot be used gives one frame with a `fault`.
    """
    try:
        with naming(path):
            dataset = read_dataset(path, with_pixels=False)
            if dataset.file_meta.get("MediaStorageSOPClassUID") == _DIRECTORY or _is_phase(dataset):
                return []
            return _describe(path, dataset)
    except ValueError as error:
        return [_faulty(path, str(error))]


def decode(frame: Frame, dataset: pydicom.Dataset) -> Image:
    """Decode a frame's pixels: (rows, cols), in its units and dtype.

    Raises:
        ValueError: broken, or compressed in a way that pydicom does not decode by itself.
    """
    with naming(frame.file):
        try:
            stored = pixel_array(dataset, index=frame.index, raw=True)
        except RuntimeError as error:
            if "missing dependencies" not in str(error):
                raise
            syntax = dataset.file_meta.TransferSyntaxUID.name
            raise ValueError(
                f"{frame.file}: expected pixels that pydicom decodes by itself, got {syntax}; "
                "convert it to an uncompressed transfer syntax"
            ) from None
        if stored.shape != frame.shape:
            raise ValueError(f"{frame.file}: expected {frame.shape} pixels, got {stored.shape}")
        if frame.is_inverted:
            stored = _invert(stored, int(dataset.BitsStored), int(dataset.PixelRepresentation))
        if not frame.is_scaled:
            return stored.astype(frame.dtype)
        return (stored * np.float64(frame.slope) + frame.intercept).astype(frame.dtype)


def _describe(path: Path, dataset: pydicom.Dataset) -> list[Frame]:
    photometric = str(dataset.PhotometricInterpretation)
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise ValueError(f"{path}: expected a grey image, got {photometric!r}")
    n_frames = int(dataset.get("NumberOfFrames") or 1)
    rows, cols = int(dataset.Rows), int(dataset.Columns)
    require_believable_size(path, n_frames, rows, cols)
    groups = dataset.get("PerFrameFunctionalGroupsSequence") or []
    if groups and len(groups) != n_frames:
        raise ValueError(f"{path}: expected {n_frames} functional groups, got {len(groups)}")
    return [
        _describe_frame(
            path,
            dataset,
            None if n_frames == 1 and not groups else index,
            [groups[index]] if groups else [],
        )
        for index in range(n_frames)
    ]


def _describe_frame(
    path: Path, dataset: pydicom.Dataset, index: int | None, groups: list[pydicom.Dataset]
) -> Frame:
    shared = list(dataset.get("SharedFunctionalGroupsSequence") or [])[:1]
    places = [*groups, *shared]
    plane = _find(places, "PlanePositionSequence", dataset)
    orientation = _find(places, "PlaneOrientationSequence", dataset).get("ImageOrientationPatient")
    measures = _find(places, "PixelMeasuresSequence", dataset)
    values = _find(places, "PixelValueTransformationSequence", dataset)
    slope = float(values.get("RescaleSlope") or 1)
    intercept = float(values.get("RescaleIntercept") or 0)
    spacing = measures.get("PixelSpacing")
    thickness = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness")
    stored = f"{'int' if dataset.PixelRepresentation else 'uint'}{int(dataset.BitsAllocated)}"
    scaled = (slope, intercept) != (1.0, 0.0)
    shape = int(dataset.Rows), int(dataset.Columns)
    patient = str(dataset.get("PatientID") or "").strip()
    return Frame(
        file=path,
        index=index,
        shape=shape,
        dtype=np.dtype(np.float32) if scaled else storage_dtype(stored),
        slope=slope,
        intercept=intercept,
        is_inverted=dataset.PhotometricInterpretation == "MONOCHROME1",
        position=_along_normal(orientation, plane.get("ImagePositionPatient")),
        spacing=None if spacing is None else (float(spacing[0]), float(spacing[1])),
        thickness=None if thickness is None else abs(float(thickness)),
        number=int(dataset.get("InstanceNumber") or 0),
        volume=(
            str(dataset.get("SeriesInstanceUID") or path.parent),
            str(dataset.get("EchoTime") or ""),
            str(dataset.get("TemporalPositionIdentifier") or ""),
            "/".join(_as_list(dataset.get("ImageType"))),
            str(shape),
            str(None if orientation is None else [round(float(v), 2) + 0.0 for v in orientation]),
        ),
        patient=patient or None,
        series_number=int(dataset.get("SeriesNumber") or 0),
        is_lossy=str(dataset.get("LossyImageCompression") or "00") == "01",
    )


def _find(places: list[pydicom.Dataset], name: str, dataset: pydicom.Dataset) -> pydicom.Dataset:
    """Give the first functional group of that name; the data set itself where there is none."""
    return next((place[name][0] for place in places if name in place), dataset)


def _along_normal(orientation: Any, position: Any) -> float | None:
    if orientation is None or position is None or len(orientation) != 6 or len(position) != 3:
        return None
    directions = np.array(orientation, dtype=np.float64).reshape(2, 3)
    along = float(np.cross(*directions) @ np.array(position, dtype=np.float64))
    return along if np.isfinite(along) else None


def _is_phase(dataset: pydicom.Dataset) -> bool:
    kinds = [*_as_list(dataset.get("ImageType"))[2:], str(dataset.get("ComplexImageComponent", ""))]
    return any(kind in _PHASE_TYPES for kind in kinds)


def _as_list(value: Any) -> list[str]:
    if value is None or isinstance(value, str):
        return [value] if value else []
    return [str(part) for part in value]


def _invert(stored: Image, bits: int, is_signed: int) -> Image:
    """Mirror stored values within their range, so that bright is large."""
    ends = (1 << bits) - 1 if not is_signed else -1
    return (ends - stored.astype(np.int64)).astype(stored.dtype)


def _faulty(path: Path, fault: str) -> Frame:
    return Frame(
        file=path,
        index=None,
        shape=(1, 1),
        dtype=np.dtype(np.uint8),
        slope=1.0,
        intercept=0.0,
        is_inverted=False,
        position=None,
        spacing=None,
        thickness=None,
        number=0,
        volume=(str(path),),
        patient=None,
        series_number=0,
        is_lossy=False,
        fault=fault,
    )
