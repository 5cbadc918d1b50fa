"""Write images as a DICOM series derived from another: its geometry and patient, new identifiers.

Derived images: DICOM PS3.3, C.7.6.1.1.2 (image type) and C.12.1 (source images).
"""

import itertools
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from mrirecon.data.readers.dicom_files import naming, read_dataset
from mrirecon.data.readers.dicom_frames import Frame
from mrirecon.data.readers.subject import Image, cast_within
from mrirecon.files import atomic_path
from mrirecon.version import __version__

_LONGEST_DESCRIPTION = 64  # characters, VR LO
_STALE = (
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "ICCProfile",
    "PixelDataProviderURL",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)


def write_derived_series(frames: Sequence[Frame], volume: Image, out: Path) -> None:
    """Write slices with the geometry of the frames they came from.

    The units are those of the source. Pixels whose source was scaled, or inverted, are stored as
    16 bits with a slope of their own; private tags and overlays, which describe the source, are
    left out. Equal images get equal identifiers.

    Args:
        frames: of the source, one for each slice.
        volume: (n_slices, rows, cols).
        out: folder; a file if the source is one file.

    Raises:
        ValueError: a file of the source cannot be read, or the sizes differ.
        OSError: the files cannot be written.
    """
    for frame, image in zip(frames, volume, strict=True):
        if image.shape != frame.shape:
            raise ValueError(f"volume: expected {frame.shape} as {frame.file}, got {image.shape}")
    parts = [
        (file, list(group))
        for file, group in itertools.groupby(
            zip(frames, volume, strict=True), key=lambda pair: pair[0].file
        )
    ]
    with atomic_path(out) as temporary:
        if len(parts) > 1:
            temporary.mkdir()
        for number, (file, group) in enumerate(parts):
            derived = _derive(
                read_dataset(file),
                [frame for frame, _ in group],
                np.stack([image for _, image in group]),
                series=_identifier(volume.tobytes(), str(frames[0].volume).encode()),
            )
            derived.InstanceNumber = number + 1
            place = temporary / f"{number + 1:04d}.dcm" if len(parts) > 1 else temporary
            with naming(file):
                derived.save_as(place, enforce_file_format=True)


def _derive(
    source: pydicom.Dataset, frames: Sequence[Frame], images: Image, series: UID
) -> pydicom.Dataset:
    """Turn a source's data set into that of the derived image."""
    source.decode()  # of every element by the source's byte order and character set
    derived = pydicom.Dataset()
    derived.update({element.tag: element for element in source})
    original_class, original = source.SOPClassUID, source.SOPInstanceUID
    derived.remove_private_tags()
    for element in [e for e in derived if e.tag.group & 0xFF00 == 0x6000 or e.keyword in _STALE]:
        del derived[element.tag]
    reference = pydicom.Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = original_class, original
    kind = list(source.get("ImageType") or ["ORIGINAL", "PRIMARY"])
    derived.ImageType = ["DERIVED", "SECONDARY", *kind[2:]]
    derived.SourceImageSequence = [reference]
    derived.DerivationDescription = (
        f"Reconstructed from undersampled k-space, mrirecon {__version__}"
    )
    description = f"{source.get('SeriesDescription') or ''} reconstructed".strip()
    derived.SeriesDescription = description[-_LONGEST_DESCRIPTION:]
    derived.SeriesInstanceUID = series
    derived.SOPInstanceUID = _identifier(images.tobytes(), str(original).encode(), series.encode())
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = original_class
    meta.MediaStorageSOPInstanceUID = derived.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    derived.file_meta = meta
    _set_pixels(derived, frames, images)
    return derived


def _set_pixels(derived: pydicom.Dataset, frames: Sequence[Frame], images: Image) -> None:
    slope, intercept = 1.0, 0.0
    dtype = np.dtype(f"{'int' if derived.PixelRepresentation else 'uint'}{derived.BitsAllocated}")
    if any(frame.is_scaled or frame.is_inverted for frame in frames) or dtype.itemsize > 2:
        dtype = np.dtype(np.uint16)
        intercept = min(float(images.min()), 0.0)
        slope = (float(images.max()) - intercept) / np.iinfo(dtype).max or 1.0
    # A decimal string holds 16 characters: scale by what will be read back.
    slope, intercept = (float(f"{value:.9e}") for value in (slope, intercept))
    stored = cast_within((images - intercept) / slope, dtype)
    derived.PhotometricInterpretation = "MONOCHROME2"
    derived.BitsAllocated = derived.BitsStored = dtype.itemsize * 8
    derived.HighBit = derived.BitsStored - 1
    derived.PixelRepresentation = int(dtype.kind == "i")
    derived.PixelData = stored.astype(dtype.newbyteorder("<")).tobytes()
    derived["PixelData"].VR = "OW" if dtype.itemsize > 1 else "OB"
    if len(derived.PixelData) % 2:
        derived.PixelData += b"\0"
    values = derived
    if frames[0].index is not None:
        derived.NumberOfFrames = len(frames)
        values = _shared_values(derived, frames)
    values.RescaleSlope, values.RescaleIntercept = f"{slope:.9e}", f"{intercept:.9e}"
    values.RescaleType = values.get("RescaleType") or "US"


def _shared_values(derived: pydicom.Dataset, frames: Sequence[Frame]) -> pydicom.Dataset:
    """Keep the groups of these frames, and give the one place for slope and intercept."""
    groups = derived.get("PerFrameFunctionalGroupsSequence")
    if not groups:
        return derived
    kept = [groups[frame.index] for frame in frames]
    for group in kept:
        if "PixelValueTransformationSequence" in group:
            del group.PixelValueTransformationSequence
    derived.PerFrameFunctionalGroupsSequence = kept
    if not derived.get("SharedFunctionalGroupsSequence"):
        derived.SharedFunctionalGroupsSequence = [pydicom.Dataset()]
    values = pydicom.Dataset()
    derived.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = [values]
    return values


def _identifier(*parts: bytes) -> UID:
    """Make a UID of a hash, under the root 2.25 for 128-bit numbers (DICOM PS3.5, B.2)."""
    digest = blake2b(b"\0".join(parts), digest_size=16).digest()
    return UID(f"2.25.{int.from_bytes(digest)}")
