"""Subjects in ISMRM raw data (MRD) HDF5 files: slices, 3-D encoding, and trajectories.

Format: Inati et al. 2017, DOI 10.1002/mrm.26089. A table of acquisitions, each a header and the
samples of all coils, and an XML header.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers.hdf5 import (
    MRD_HEADER,
    MRD_TABLE,
    SUFFIXES,
    mrd_group,
    open_hdf5,
    require_dataset,
)
from mrirecon.data.readers.hdf5_heaps import require_sound_heaps
from mrirecon.data.readers.layout import list_entries, natural_key, sort_files
from mrirecon.data.readers.mrd_header import Encoding, parse_encoding, parse_traits
from mrirecon.data.readers.mrd_heads import Heads, correction_heads, imaging_heads, read_heads
from mrirecon.data.readers.mrd_lines import Lines
from mrirecon.data.readers.mrd_samples import read_noise
from mrirecon.data.readers.mrd_trajectory import open_trajectory
from mrirecon.data.readers.mrd_volumes import open_lines
from mrirecon.data.readers.subject import Source
from mrirecon.data.readers.volume import FileSubject, OpenVolume

SERIES = ("contrast", "phase", "repetition", "set")
"""Counters that tell volumes of one file apart."""
Series = tuple[int, ...]


@dataclass(frozen=True)
class MrdSubject(FileSubject):
    """One volume of an MRD file."""

    series: Series | None
    """Values of `SERIES`; None where the file could not be read."""

    @contextmanager
    def open(self) -> Iterator[OpenVolume]:
        """See `FileSubject.open`."""
        path = self.files[0]
        require_sound_heaps(path)
        with open_hdf5(path) as file:
            encoding, table = _open_tables(path, file)
            every = read_heads(path, table)
            images = imaging_heads(path, every)
            series = _series_of(images)[0] if self.series is None else self.series
            images = _of_series(images, series)
            read_beside = partial(read_noise, path, table, every, images)
            if encoding.trajectory in ("cartesian", "epi"):
                corrections = _of_series(correction_heads(every), series)
                lines = Lines(path, table, images, corrections, encoding)
                yield open_lines(lines, read_beside)
            else:
                yield open_trajectory(path, table, images, encoding, read_beside)

    @property
    def traits(self) -> dict[str, str]:
        """See `Subject.traits`."""
        path = self.files[0]
        try:
            require_sound_heaps(path)
            with open_hdf5(path) as file:
                _, header = _find_tables(path, file)
                return parse_traits(header)
        except ValueError:
            return {}


def read_mrds(root: Path, files: Sequence[Path]) -> Source:
    """Find the subjects among MRD files: each volume is one, of the patient in the header."""
    layout = sort_files(root, files, SUFFIXES)
    subjects = []
    for entry in list_entries(root, layout, SUFFIXES):
        patient, all_series = _look_into(entry.file)
        for series in all_series:
            name = "/".join([entry.name, *_varied_counters(series, all_series)])
            person = patient or entry.person
            subjects.append(MrdSubject(name, person, entry.split, (entry.file,), series))
    subjects.sort(key=lambda subject: natural_key(subject.name))
    return Source((root,), "MRD", tuple(subjects), layout.masks, layout.ignored)


def _varied_counters(series: Series | None, all_series: Sequence[Series | None]) -> list[str]:
    """Name those counters of a volume that differ between the volumes of its file."""
    known = np.array([values for values in all_series if values is not None])
    return [
        f"{counter}_{value}"
        for place, (counter, value) in enumerate(zip(SERIES, series or (), strict=False))
        if np.ptp(known[:, place])
    ]


def _look_into(path: Path) -> tuple[str | None, Sequence[Series | None]]:
    """Give patient and volumes; a broken file counts as one volume and is reported when read."""
    try:
        require_sound_heaps(path)
        with open_hdf5(path) as file:
            encoding, table = _open_tables(path, file)
            return encoding.patient, _series_of(imaging_heads(path, read_heads(path, table)))
    except ValueError:
        return None, (None,)


def _open_tables(path: Path, file: h5py.File) -> tuple[Encoding, h5py.Dataset]:
    table, header = _find_tables(path, file)
    return parse_encoding(path, header), table


def _find_tables(path: Path, file: h5py.File) -> tuple[h5py.Dataset, bytes]:
    name = mrd_group(file)
    if name is None:
        raise ValueError(f"{path}: expected a group with {MRD_TABLE} and {MRD_HEADER}, got none")
    table = require_dataset(path, file[name], MRD_TABLE)
    header = require_dataset(path, file[name], MRD_HEADER)[()]
    text = header.flat[0] if isinstance(header, np.ndarray) and header.size else header
    return table, text if isinstance(text, bytes) else str(text).encode()


def _series_columns(heads: Heads) -> NDArray[np.int64]:
    return np.stack([heads["head"]["idx"][name].astype(np.int64) for name in SERIES], axis=1)


def _series_of(heads: Heads) -> list[Series]:
    return [tuple(row) for row in np.unique(_series_columns(heads), axis=0).tolist()]


def _of_series(heads: Heads, series: Series) -> Heads:
    found: Heads = heads[(_series_columns(heads) == series).all(axis=1)]
    return found
