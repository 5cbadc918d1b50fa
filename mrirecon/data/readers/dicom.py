"""Subjects in DICOM files: each series is a volume, its slices in the order in which they lie.

Slices are shown in the plane in which they were acquired, sorted along its normal: DICOM PS3.3,
C.7.6.2.1.1.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom

from mrirecon.data.readers.dicom_files import SUFFIXES, naming, read_dataset
from mrirecon.data.readers.dicom_frames import Frame, decode, read_frames
from mrirecon.data.readers.dicom_writer import write_derived_series
from mrirecon.data.readers.layout import bare_name, find_places, natural_key, person_of, sort_files
from mrirecon.data.readers.subject import (
    Image,
    OnError,
    SliceHeader,
    Source,
    Split,
    Subject,
    collect_slices,
    describe_traits,
    require_volume,
)

UNEVEN = 0.02
"""Distances between slices that differ by more than this part are worth a note."""


@dataclass(frozen=True)
class DicomSubject(Subject):
    """A subject in the frames of one series."""

    frames: tuple[Frame, ...]
    """Of each slice, in order."""

    @property
    def voxel_size(self) -> tuple[float, float, float] | None:
        """See `Subject.voxel_size`."""
        first = self.frames[0]
        distances = self._distances()
        depth = float(np.median(distances)) if distances.size else first.thickness
        return None if first.spacing is None or not depth else (depth, *first.spacing)

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Subject.notes`."""
        found = []
        distances = self._distances()
        if distances.size and np.ptp(distances) > UNEVEN * distances.min():
            found.append(
                f"distances between slices from {distances.min():.4g} to {distances.max():.4g} mm: "
                "slices may be missing"
            )
        if len(self.frames) > 1 and not distances.size:
            found.append("no positions of slices: ordered by number")
        n_lossy = sum(frame.is_lossy for frame in self.frames)
        if n_lossy:
            found.append(f"{n_lossy} slices were compressed with loss, not the measured values")
        return tuple(found)

    @property
    def traits(self) -> dict[str, str]:
        """See `Subject.traits`."""
        try:
            dataset = read_dataset(self.files[0], with_pixels=False)
            with naming(self.files[0]):
                maker, model = dataset.get("Manufacturer"), dataset.get("ManufacturerModelName")
                return describe_traits(
                    protocol=dataset.get("ProtocolName") or dataset.get("SeriesDescription"),
                    field_strength=dataset.get("MagneticFieldStrength"),
                    scanner=f"{maker or ''} {model or ''}",
                    institution=dataset.get("InstitutionName"),
                )
        except ValueError:
            return {}

    def headers(self) -> Sequence[SliceHeader]:
        """See `Subject.headers`."""
        for frame in self.frames:
            if frame.fault is not None:
                raise ValueError(frame.fault)
        return [SliceHeader(frame.file, frame.shape, frame.dtype) for frame in self.frames]

    def read_slices(self, on_error: OnError | None = None) -> list[tuple[int, Image]]:
        """See `Subject.read_slices`."""
        opened: dict[Path, pydicom.Dataset] = {}  # of one file, since frames of a file follow

        def read(number: int) -> Image:
            frame = self.frames[number]
            if frame.fault is not None:
                raise ValueError(frame.fault)
            if frame.file not in opened:
                opened.clear()
                opened[frame.file] = read_dataset(frame.file)
            return decode(frame, opened[frame.file])

        return collect_slices([frame.file for frame in self.frames], read, on_error)

    def write_like(self, volume: Image, out: Path) -> None:
        """See `Subject.write_like`; a derived series with the geometry of this one."""
        require_volume(volume, len(self.frames))
        write_derived_series(self.frames, volume, out)

    def _distances(self) -> np.ndarray:
        """Distances between neighbours [mm]; empty for one slice or unknown positions."""
        places = [frame.position for frame in self.frames if frame.position is not None]
        return np.diff(places) if len(places) == len(self.frames) else np.empty(0)


def read_dicoms(root: Path, files: Sequence[Path]) -> Source:
    """Find the subjects among DICOM files: each volume of a series is one, of its patient."""
    layout = sort_files(root, files, SUFFIXES)
    places = find_places(root, layout.images)
    volumes: dict[tuple[Split | None, tuple[str, ...]], list[Frame]] = defaultdict(list)
    no_images = []
    for file in layout.images:
        frames = read_frames(file)
        for frame in frames:
            volumes[places[file].split, frame.volume].append(frame)
        no_images += [] if frames else [file]
    subjects: dict[str, DicomSubject] = {}
    for (split, _), frames in sorted(volumes.items(), key=lambda item: _volume_key(item[1])):
        for repeat, stack in enumerate(_sort_into_stacks(frames)):
            first = stack[0]
            bare = bare_name(first.file, SUFFIXES)
            folder = places[first.file].folder
            person = first.patient or person_of(first.file, root, folder, bare)
            series = bare if first.fault else f"series_{first.series_number}"
            name = f"{person}/{series}" + (f"/volume_{repeat + 1}" if repeat else "")
            name = next(name for name in _variants(name) if name not in subjects)
            files_used = tuple(dict.fromkeys(frame.file for frame in stack))
            subjects[name] = DicomSubject(name, person, split, files_used, tuple(stack))
    ordered = sorted(subjects.values(), key=lambda subject: natural_key(subject.name))
    ignored = (*layout.ignored, *no_images)
    return Source((root,), "DICOM", tuple(ordered), layout.masks, ignored)


def _volume_key(frames: Sequence[Frame]) -> tuple[str, int, tuple[str, ...]]:
    return frames[0].patient or "", frames[0].series_number, frames[0].volume


def _variants(name: str) -> Iterator[str]:
    """Give a name, then the name with a letter behind it, for series of one number."""
    yield name
    number = 1
    while True:
        number += 1
        yield f"{name}_{number}"


def _sort_into_stacks(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Sort frames along their normal; frames at one place are volumes that follow in time.

    Where a position is missing, or places do not occur equally often, the order is by number.
    """
    by_number = sorted(frames, key=lambda f: (f.number, natural_key(f.file.name), f.index or 0))
    at: dict[float, list[Frame]] = defaultdict(list)
    for frame in by_number:
        if frame.position is None:
            return [by_number]
        at[round(frame.position, 3)].append(frame)
    if len({len(stack) for stack in at.values()}) > 1:
        return [by_number]
    return [list(stack) for stack in zip(*(at[place] for place in sorted(at)), strict=True)]
