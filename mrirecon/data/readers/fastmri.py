"""Subjects in fastMRI HDF5 files, with or without the header of the scanner.

Layout: Zbontar et al. 2018, arXiv 1811.08839: `kspace` (slices, [coils,] readout, phase),
`reconstruction_rss` or `reconstruction_esc` (slices, rows, cols), XML in `ismrmrd_header`, a `mask`
in test files, attribute `patient_id`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import h5py
import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers.hdf5 import (
    FASTMRI_KSPACE,
    FASTMRI_TARGETS,
    SUFFIXES,
    is_inside,
    open_hdf5,
    require_dataset,
)
from mrirecon.data.readers.hdf5_heaps import require_sound_heaps
from mrirecon.data.readers.kspace import kspace_volume
from mrirecon.data.readers.layout import list_entries, sort_files
from mrirecon.data.readers.measured import Kspace, Measured
from mrirecon.data.readers.mrd_header import Encoding, parse_encoding, parse_traits
from mrirecon.data.readers.subject import Source, require_believable_size, storage_dtype
from mrirecon.data.readers.volume import FileSubject, OpenVolume

HEADER = "ismrmrd_header"


@dataclass(frozen=True)
class FastmriSubject(FileSubject):
    """A subject in one fastMRI file: its target images, or images of its full k-space."""

    @contextmanager
    def open(self) -> Iterator[OpenVolume]:
        """See `FileSubject.open`."""
        path = self.files[0]
        require_sound_heaps(path)
        with open_hdf5(path) as file:
            target = next((name for name in FASTMRI_TARGETS if is_inside(file, name)), None)
            if target is not None:
                yield _open_target(path, file, target)
            else:
                yield _open_kspace(path, file)

    @property
    def traits(self) -> dict[str, str]:
        """See `Subject.traits`; the attribute `acquisition` is the protocol."""
        path = self.files[0]
        try:
            require_sound_heaps(path)
            with open_hdf5(path) as file:
                acquisition = file.attrs.get("acquisition")
                header = _header_of(path, file)
                told = {} if header is None else parse_traits(header)
                return {**told, **({"protocol": str(acquisition)} if acquisition else {})}
        except ValueError:
            return {}


def read_fastmris(root: Path, files: Sequence[Path]) -> Source:
    """Find the subjects among fastMRI files: each file is one, of the person in `patient_id`."""
    layout = sort_files(root, files, SUFFIXES)
    subjects = [
        FastmriSubject(
            entry.name, _patient_of(entry.file) or entry.person, entry.split, (entry.file,)
        )
        for entry in list_entries(root, layout, SUFFIXES)
    ]
    return Source((root,), "fastMRI", tuple(subjects), layout.masks, layout.ignored)


def kspace_reader(path: Path, dataset: h5py.Dataset) -> Callable[[int], Kspace]:
    """Give a function that reads the k-space of a slice, (coils, rows, cols).

    Raises:
        ValueError: not complex, or other axes than fastMRI's.
    """
    if dataset.dtype.kind != "c" or dataset.ndim not in (3, 4):
        raise ValueError(
            f"{path}: expected complex kspace, (slices, rows, cols) or (slices, coils, rows, "
            f"cols), got {dataset.dtype} {dataset.shape}"
        )
    require_believable_size(path, *dataset.shape)

    def read(number: int) -> Kspace:
        kspace = dataset[number].astype(np.complex64)
        return kspace.reshape(-1, *dataset.shape[-2:])

    return read


def measure_fastmri(path: Path) -> Measured:
    """Read all k-space of a file; where there is a `mask`, it tells what was measured.

    Raises:
        ValueError: damaged, no `kspace`, or a mask that does not fit.
        OSError: the file cannot be read.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    require_sound_heaps(path)
    with open_hdf5(path) as file:
        dataset = require_dataset(path, file, FASTMRI_KSPACE)
        read = kspace_reader(path, dataset)
        encoding = _encoding_of(path, file)
        was_measured = _read_mask(path, file, dataset) if "mask" in file else None
        return Measured(
            np.stack([read(number) for number in range(len(dataset))]),
            _crop_of(dataset, encoding),
            dataset.shape[-2:],
            was_measured=was_measured,
            voxel_size=None if encoding is None else encoding.reconstructed_voxel_size,
        )


def _read_mask(path: Path, file: h5py.File, dataset: h5py.Dataset) -> NDArray[np.bool_]:
    """Read the mask over cols, (slices, rows, cols)."""
    mask = require_dataset(path, file, "mask")[()]
    rows, cols = dataset.shape[-2:]
    if mask.shape != (cols,):
        raise ValueError(f"{path}: mask: expected {(cols,)}, got {mask.shape}")
    return np.broadcast_to(mask.astype(bool), (len(dataset), rows, cols))


def _crop_of(dataset: h5py.Dataset, encoding: Encoding | None) -> tuple[int, int]:
    rows, cols = dataset.shape[-2:]
    if encoding is None:
        return rows, cols
    return min(rows, encoding.reconstructed[0]), min(cols, encoding.reconstructed[1])


def _patient_of(path: Path) -> str | None:
    """Read the patient's identifier; a broken file has none and is reported when it is read."""
    try:
        require_sound_heaps(path)
        with open_hdf5(path) as file:
            patient = file.attrs.get("patient_id")
            text = patient.decode("utf-8", "replace") if isinstance(patient, bytes) else patient
            return str(text) if text is not None else None
    except ValueError:
        return None


def _open_target(path: Path, file: h5py.File, name: str) -> OpenVolume:
    dataset = require_dataset(path, file, name)
    if dataset.ndim != 3:
        raise ValueError(f"{path}: {name}: expected (slices, rows, cols), got {dataset.shape}")
    n_slices, rows, cols = dataset.shape
    require_believable_size(path, n_slices, rows, cols)
    try:
        dtype = storage_dtype(dataset.dtype)
    except ValueError as error:
        raise ValueError(f"{path}: {name}: {error}") from error
    encoding = _encoding_of(path, file)
    has_kspace = is_inside(file, FASTMRI_KSPACE) and "mask" not in file
    return OpenVolume(
        n_slices,
        (rows, cols),
        dtype,
        lambda number: dataset[number].astype(dtype),
        f"{name} of the file, made from measured k-space",
        voxel_size=None if encoding is None else encoding.reconstructed_voxel_size,
        coil_images=_open_kspace(path, file).coil_images if has_kspace else None,
    )


def _open_kspace(path: Path, file: h5py.File) -> OpenVolume:
    dataset = require_dataset(path, file, FASTMRI_KSPACE)
    read_kspace = kspace_reader(path, dataset)
    encoding = _encoding_of(path, file)
    notes: tuple[str, ...] = ()
    if encoding is None:
        notes = ("no ismrmrd_header: readout oversampling, if there is any, is kept",)
    volume = kspace_volume(
        path,
        (len(dataset), 1 if dataset.ndim == 3 else dataset.shape[1]),
        _crop_of(dataset, encoding),
        read_kspace,
        notes=notes,
        voxel_size=None if encoding is None else encoding.reconstructed_voxel_size,
    )

    def refuse(_number: int) -> NoReturn:
        raise ValueError(
            f"{path}: expected fully sampled k-space to make images of, got a mask (a test file); "
            "'mrirecon reconstruct' takes undersampled k-space"
        )

    return replace(volume, read=refuse) if "mask" in file else volume


def _encoding_of(path: Path, file: h5py.File) -> Encoding | None:
    header = _header_of(path, file)
    return None if header is None else parse_encoding(path, header)


def _header_of(path: Path, file: h5py.File) -> bytes | None:
    if HEADER not in file:
        return None
    header = require_dataset(path, file, HEADER)[()]
    return header if isinstance(header, bytes) else str(header).encode()
