"""Subjects in ISMRM raw data (MRD) HDF5 files: Cartesian slices, read line by line.

Format: Inati et al. 2017, DOI 10.1002/mrm.26089. A table of acquisitions, each a header and the
samples of all coils, and an XML header. Rows of the k-space are the readout, columns the phase
encoding, both with their centre at n // 2; what was not measured at the edges stays 0.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from mrirecon.data.readers.kspace import kspace_volume
from mrirecon.data.readers.layout import list_entries, natural_key, sort_files
from mrirecon.data.readers.mrd_header import Encoding, parse_encoding
from mrirecon.data.readers.mrd_heads import Heads, imaging_heads
from mrirecon.data.readers.subject import Source, require_believable_size
from mrirecon.data.readers.volume import FileSubject, Kspace, OpenVolume

SERIES = ("contrast", "phase", "repetition", "set")
"""Counters that tell volumes of one file apart."""
_REVERSED = np.uint64(1 << 21)
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
            _require_cartesian(path, encoding)
            heads = imaging_heads(path, table)
            chosen = _series_of(heads)[0] if self.series is None else self.series
            rows = np.flatnonzero((_series_columns(heads) == chosen).all(axis=1))
            heads = heads[rows]
            _require_usable(path, heads, encoding)
            yield _open_volume(path, table, heads, encoding)


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
            return encoding.patient, _series_of(imaging_heads(path, table))
    except ValueError:
        return None, (None,)


def _open_tables(path: Path, file: h5py.File) -> tuple[Encoding, h5py.Dataset]:
    name = mrd_group(file)
    if name is None:
        raise ValueError(f"{path}: expected a group with {MRD_TABLE} and {MRD_HEADER}, got none")
    table = require_dataset(path, file[name], MRD_TABLE)
    header = require_dataset(path, file[name], MRD_HEADER)[()]
    text = header.flat[0] if isinstance(header, np.ndarray) and header.size else header
    xml = text if isinstance(text, bytes) else str(text).encode()
    return parse_encoding(path, xml), table


def _series_columns(heads: Heads) -> NDArray[np.int64]:
    return np.stack([heads["head"]["idx"][name].astype(np.int64) for name in SERIES], axis=1)


def _series_of(heads: Heads) -> list[Series]:
    return [tuple(row) for row in np.unique(_series_columns(heads), axis=0).tolist()]


def _require_cartesian(path: Path, encoding: Encoding) -> None:
    if encoding.trajectory != "cartesian":
        raise ValueError(f"{path}: expected a Cartesian trajectory, got {encoding.trajectory}")
    if encoding.encoded[2] > 1:
        raise ValueError(
            f"{path}: expected slices (2-D encoding), got 3-D encoding of {encoding.encoded}"
        )


def _require_usable(path: Path, heads: Heads, encoding: Encoding) -> None:
    """Refuse what this reader would place wrongly."""
    head = heads["head"]
    if (
        len(np.unique(head["active_channels"])) > 1
        or len(np.unique(head["encoding_space_ref"])) > 1
    ):
        raise ValueError(f"{path}: expected one encoding and number of coils, got several")
    if (head["flags"] & _REVERSED).any():
        raise ValueError(f"{path}: expected lines read in one direction, got reversed ones (EPI)")
    first, last, centre = encoding.phase_limits
    shift = encoding.encoded[1] // 2 - centre
    lines = head["idx"]["kspace_encode_step_1"].astype(np.int64)
    if lines.min() + shift < 0 or lines.max() + shift >= encoding.encoded[1]:
        raise ValueError(
            f"{path}: expected lines within {encoding.encoded[1]} about their centre {centre}, "
            f"got {lines.min()} to {lines.max()} (header: {first} to {last})"
        )
    kept = head["number_of_samples"].astype(np.int64) - head["discard_post"]
    start = encoding.encoded[0] // 2 - head["center_sample"].astype(np.int64)
    if ((start + head["discard_pre"] < 0) | (start + kept > encoding.encoded[0])).any():
        raise ValueError(
            f"{path}: expected {encoding.encoded[0]} samples of a line at most, about their "
            f"centre, got {kept.max()} with centre {head['center_sample'].max()}"
        )
    require_believable_size(
        path,
        len(np.unique(head["idx"]["slice"])),
        int(head["active_channels"][0]),
        *encoding.encoded[:2],
    )


def _open_volume(path: Path, table: h5py.Dataset, heads: Heads, encoding: Encoding) -> OpenVolume:
    slices, spacing = _order_slices(heads)

    def read_kspace(number: int) -> Kspace:
        inside = heads[heads["head"]["idx"]["slice"] == slices[number]]
        return _place_lines(path, table, inside, encoding)

    rows_mm, cols_mm = (
        fov / n for fov, n in zip(encoding.encoded_fov[:2], encoding.encoded[:2], strict=True)
    )
    return kspace_volume(
        path,
        (len(slices), int(heads["head"]["active_channels"][0])),
        encoding.image_shape,
        read_kspace,
        voxel_size=(spacing or encoding.encoded_fov[2], rows_mm, cols_mm),
    )


def _order_slices(heads: Heads) -> tuple[list[int], float | None]:
    """Order slices by their place along the normal, by number where the places do not differ.

    Returns:
        Numbers of the slices, and the distance between neighbours [mm], None for one slice.
    """
    numbers, first = np.unique(heads["head"]["idx"]["slice"], return_index=True)
    head = heads["head"][first]
    places = (head["position"] * head["slice_dir"]).sum(axis=1, dtype=np.float64)
    if len(np.unique(places)) < len(numbers) or not np.isfinite(places).all():
        return numbers.tolist(), None
    order = np.argsort(places)
    spacing = float(np.median(np.diff(places[order]))) if len(order) > 1 else None
    return numbers[order].tolist(), spacing


def _place_lines(path: Path, table: h5py.Dataset, heads: Heads, encoding: Encoding) -> Kspace:
    """Put the lines of a slice into k-space; lines measured several times are averaged."""
    n_coils = int(heads["head"]["active_channels"][0])
    n_samples, n_lines, _ = encoding.encoded
    kspace = np.zeros((n_lines, n_coils, n_samples), np.complex64)
    times = np.zeros(n_lines, np.int64)
    shift = n_lines // 2 - encoding.phase_limits[2]
    samples = table[heads["row"]]["data"]  # objects, each float32: (coils * samples * 2,)
    for head, values in zip(heads["head"], samples, strict=True):
        count = int(head["number_of_samples"])
        if values.size != n_coils * count * 2:
            raise ValueError(
                f"{path}: expected {n_coils} x {count} samples of a line, got {values.size / 2:g}"
            )
        line = np.ascontiguousarray(values, np.float32).view(np.complex64).reshape(n_coils, count)
        first, last = int(head["discard_pre"]), count - int(head["discard_post"])
        start = n_samples // 2 - int(head["center_sample"])
        place = int(head["idx"]["kspace_encode_step_1"]) + shift
        kspace[place, :, start + first : start + last] += line[:, first:last]
        times[place] += 1
    kspace /= np.maximum(times, 1)[:, None, None]
    return np.ascontiguousarray(kspace.transpose(1, 2, 0))
