"""Subjects in NIfTI files, cut into slices as a radiologist looks at them.

The NIfTI-1 standard (Cox et al. 2004, https://nifti.nimh.nih.gov) gives world coordinates that
grow to the person's right, front and top (RAS, nibabel's convention). Axial and coronal slices are
shown with the person's right on the left of the picture.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import (
    aff2axcodes,
    apply_orientation,
    axcodes2ornt,
    io_orientation,
    ornt_transform,
)
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from mrirecon.data.readers.bids import read_bids_traits
from mrirecon.data.readers.layout import bare_name, list_entries, sort_files
from mrirecon.data.readers.subject import (
    Image,
    OnError,
    SliceHeader,
    Source,
    Subject,
    cast_within,
    require_believable_size,
    storage_dtype,
)
from mrirecon.files import atomic_path

SUFFIXES = (".nii", ".nii.gz")
SliceAxis = Literal["axial", "coronal", "sagittal"]
_AXIS_CODES: dict[SliceAxis, tuple[str, str, str]] = {
    "axial": ("S", "P", "L"),  # slices go up, rows to the back, cols to the left
    "coronal": ("P", "I", "L"),
    "sagittal": ("L", "I", "P"),
}
_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
_BROKEN = (
    ImageFileError,
    HeaderDataError,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    zlib.error,
)


@dataclass(frozen=True)
class NiftiSubject(Subject):
    """A subject in one NIfTI file."""

    slice_axis: SliceAxis
    """Axis along which the volume is cut."""

    @property
    def voxel_size(self) -> tuple[float, float, float]:
        """Distance between (slices, rows, cols) [mm]."""
        stored = _open(self.files[0])
        with _naming(self.files[0]):
            scale = _MILLIMETRES[stored.header.get_xyzt_units()[0]]
        along = _to_slices(stored, self.slice_axis)
        sizes = np.empty(3)
        sizes[along[:, 0].astype(int)] = stored.header.get_zooms()[:3]
        return tuple(float(size) * scale for size in sizes)  # type: ignore[return-value]

    @property
    def traits(self) -> dict[str, str]:
        """See `Subject.traits`."""
        return read_bids_traits(self.files[0], bare_name(self.files[0], SUFFIXES))

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Subject.notes`; of the affines, by which the slices are cut."""
        stored = _open(self.files[0])
        with _naming(self.files[0]):
            (qform, qform_code), (sform, sform_code) = (
                stored.header.get_qform(coded=True),
                stored.header.get_sform(coded=True),
            )
            if not qform_code and not sform_code:
                return (
                    "no orientation is stored (qform_code and sform_code are 0): axes are taken "
                    "as they lie in the file",
                )
            if qform_code and sform_code:
                codes = ["".join(map(str, aff2axcodes(form))) for form in (qform, sform)]
                if codes[0] != codes[1]:
                    return (f"qform ({codes[0]}) and sform ({codes[1]}) disagree: sform counts",)
        return ()

    def headers(self) -> Sequence[SliceHeader]:
        """See `Subject.headers`."""
        stored = _open(self.files[0])
        along = _to_slices(stored, self.slice_axis)
        shape = np.empty(3, dtype=int)
        shape[along[:, 0].astype(int)] = stored.shape[:3]
        header = SliceHeader(self.files[0], (int(shape[1]), int(shape[2])), _dtype(stored))
        return [header] * int(shape[0])

    def read_slices(self, on_error: OnError | None = None) -> list[tuple[int, Image]]:
        """See `Subject.read_slices`; a broken file is broken in all of its slices."""
        try:
            stored = _open(self.files[0])
            with _naming(self.files[0]):
                pixels = np.asarray(stored.dataobj, dtype=_dtype(stored))
        except ValueError as error:
            if on_error is None:
                raise
            on_error(self.files[0], error)
            return []
        volume = apply_orientation(
            pixels.reshape(stored.shape[:3]), _to_slices(stored, self.slice_axis)
        )
        return list(enumerate(np.ascontiguousarray(volume)))

    def write_like(self, volume: Image, out: Path) -> None:
        """See `write_nifti_like`."""
        write_nifti_like(self.files[0], volume, out, slice_axis=self.slice_axis)


def require_slice_axis(slice_axis: str) -> None:
    """Refuse anything but axial, coronal and sagittal.

    Raises:
        ValueError: no such slice axis.
    """
    if slice_axis not in get_args(SliceAxis):
        raise ValueError(f"slice_axis: expected axial, coronal or sagittal, got {slice_axis!r}")


def read_niftis(root: Path, files: Sequence[Path], slice_axis: SliceAxis) -> Source:
    """Find the subjects among NIfTI files: each file is one.

    Raises:
        ValueError: no such slice axis.
    """
    require_slice_axis(slice_axis)
    layout = sort_files(root, files, SUFFIXES)
    subjects = [
        NiftiSubject(entry.name, entry.person, entry.split, (entry.file,), slice_axis)
        for entry in list_entries(root, layout, SUFFIXES)
    ]
    return Source((root,), "NIfTI", tuple(subjects), layout.masks, layout.ignored)


def write_nifti_like(
    reference: Path, volume: Image, out: Path, *, slice_axis: SliceAxis = "axial"
) -> None:
    """Write slices as a NIfTI file with the geometry and header of another.

    Args:
        reference: NIfTI file the slices came from.
        volume: (n_slices, rows, cols), as `NiftiSubject.read_volume` gives them, in its units.
        out: `.nii` or `.nii.gz` file.
        slice_axis: axis along which the reference was cut.

    Raises:
        ValueError: `out` is named otherwise, or the volume's shape is not the reference's.
        OSError: the file cannot be written.
    """
    if not out.name.lower().endswith(SUFFIXES):
        raise ValueError(f"{out}: expected a name ending in .nii or .nii.gz")
    stored = _open(reference)
    to_slices = _to_slices(stored, slice_axis)
    from_slices = ornt_transform(
        axcodes2ornt(_AXIS_CODES[slice_axis]), io_orientation(stored.affine)
    )
    expected = apply_orientation(np.empty(stored.shape[:3], dtype=bool), to_slices).shape
    if volume.shape != expected:
        raise ValueError(f"volume: expected {expected} as in {reference}, got {volume.shape}")
    pixels = apply_orientation(volume, from_slices).reshape(stored.shape)
    if not _is_scaled(stored):
        pixels = cast_within(pixels, stored.get_data_dtype())
    with atomic_path(out) as temporary:
        nibabel.save(type(stored)(pixels, stored.affine, stored.header), temporary)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn what nibabel raises for a broken file into one line that names the file."""
    try:
        yield
    except _BROKEN as error:
        if str(error).startswith(str(path)):
            raise
        detail = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: expected a whole NIfTI file, got an error: {detail}") from error


def _open(path: Path) -> Any:
    """Open a volume without reading its voxels."""
    with _naming(path):
        stored = nibabel.load(path)
    if len(stored.shape) not in (3, 4) or (len(stored.shape) == 4 and stored.shape[3] != 1):
        raise ValueError(f"{path}: expected one volume (3 axes), got shape {stored.shape}")
    for axis in range(3):
        others = (stored.shape[other] for other in range(3) if other != axis)
        require_believable_size(path, stored.shape[axis], *others)
    return stored


def _to_slices(stored: Any, slice_axis: SliceAxis) -> NDArray[Any]:
    """Orientation transform from the file's axes to (slices, rows, cols)."""
    try:
        orientation = io_orientation(stored.affine)
    except np.linalg.LinAlgError:
        orientation = np.array(np.nan)
    if np.isnan(orientation).any():
        raise ValueError(f"{stored.get_filename()}: expected an affine that places all three axes")
    return ornt_transform(orientation, axcodes2ornt(_AXIS_CODES[slice_axis]))


def _is_scaled(stored: Any) -> bool:
    slope, intercept = stored.dataobj.slope, stored.dataobj.inter
    return (slope, intercept) != (1.0, 0.0)


def _dtype(stored: Any) -> np.dtype[Any]:
    """Type to keep the voxels in; scaled ones are computed, so they are float32."""
    try:
        kept = storage_dtype(stored.get_data_dtype())
    except ValueError as error:
        raise ValueError(f"{stored.get_filename()}: {error}") from error
    return np.dtype(np.float32) if _is_scaled(stored) else kept
