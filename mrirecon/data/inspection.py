"""A first look at a source: what is there, what is odd, and what `prepare` would refuse."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.checks import digest, find_look_alikes, find_spectrum_drops, thumbnail
from mrirecon.data.findings import Inspection, LookAlike, SubjectReport
from mrirecon.data.pixels import is_blank
from mrirecon.data.readers import ArrayOptions, ChannelError, Image, SliceAxis, Subject, read_source
from mrirecon.data.readers.picture import LOSSY_SUFFIXES


@dataclass
class _Slices:
    """What is kept of slices that show something, to compare those of all subjects."""

    persons: dict[bytes, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By the hash of a slice."""
    digests: list[NDArray[np.float32]] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    """Person, and subject with number of the slice."""

    def add(self, subject: Subject, number: int, image: Image) -> bytes:
        """Keep a slice, and give its hash."""
        fingerprint = blake2b(image.tobytes(), digest_size=16).digest()
        self.persons[fingerprint].add(subject.person)
        self.digests.append(digest(image))
        self.names.append((subject.person, f"{subject.name} slice {number}"))
        return fingerprint

    def duplicates(self) -> list[tuple[str, ...]]:
        """Name the persons that share an identical slice."""
        shared = {tuple(sorted(names)) for names in self.persons.values() if len(names) > 1}
        return sorted(shared)

    def look_alikes(self) -> list[LookAlike]:
        """Find slices of two persons that are one image, where none is identical."""
        if not self.digests:
            return []
        persons = [person for person, _ in self.names]
        _, owners = np.unique(persons, return_inverse=True)
        known = [set(names) for names in self.duplicates()]
        found = []
        for first, second, likeness in find_look_alikes(np.array(self.digests), owners):
            pair = (persons[first], persons[second])
            if not any(set(pair) <= names for names in known):
                names = self.names[first][1], self.names[second][1]
                found.append(LookAlike(*names, pair, likeness))
        return found


def inspect_source(
    path: str | Path | Sequence[str | Path],
    *,
    channel: str | int | None = None,
    slice_axis: SliceAxis = "axial",
    arrays: ArrayOptions | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Inspection:
    """Read all of a source and report on it; broken files are listed and not raised.

    Args:
        path: see `read_source`.
        channel: of colour pictures, see `read_source`.
        slice_axis: of NIfTI volumes.
        arrays: of .npy, .npz and .cfl files, see `read_source`.
        progress: called with (subjects done, subjects in all, name) before each subject, and
            with name "" at the end.

    Returns:
        The findings.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: no image is there, or an option does not exist.
    """
    source = read_source(path, channel=channel, slice_axis=slice_axis, arrays=arrays)
    reports = []
    errors: dict[Path, ValueError] = {}
    kept = _Slices()
    for done, subject in enumerate(source.subjects):
        if progress is not None:
            progress(done, len(source.subjects), subject.name)
        slices = subject.read_slices(errors.__setitem__)
        if slices:
            reports.append(_report(subject, slices, kept))
    if progress is not None:
        progress(len(source.subjects), len(source.subjects), "")
    files = [file for subject in source.subjects for file in subject.files]
    return Inspection(
        source=source,
        subjects=tuple(reports),
        unreadable={
            file: str(error) for file, error in errors.items() if not _needs_channel(error)
        },
        n_colour=sum(map(_needs_channel, errors.values())),
        n_lossy=sum(file.suffix.lower() in LOSSY_SUFFIXES for file in files),
        duplicates=tuple(kept.duplicates()),
        look_alikes=tuple(kept.look_alikes()),
    )


def _report(subject: Subject, slices: list[tuple[int, Image]], kept: _Slices) -> SubjectReport:
    """Describe a subject, and keep what its slices are compared by."""
    images = [image for _, image in slices]
    finite = [image[np.isfinite(image)] for image in images]
    maximum = max((float(values.max()) for values in finite if values.size), default=np.nan)
    minimum = min((float(values.min()) for values in finite if values.size), default=np.nan)
    blank = [not maximum > 0 or is_blank(image, maximum) for image in images]
    shown = [pair for pair, is_empty in zip(slices, blank, strict=True) if not is_empty]
    fingerprints = Counter(kept.add(subject, number, image) for number, image in shown)
    sizes = Counter(image.shape for image in images)
    of_one_size = [image for _, image in shown if image.shape == sizes.most_common(1)[0][0]]
    return SubjectReport(
        name=subject.name,
        person=subject.person,
        split=subject.split,
        n_slices=len(images),
        sizes=dict(sizes),
        dtypes=tuple(sorted({image.dtype.name for image in images})),
        minimum=minimum,
        maximum=maximum,
        n_blank=sum(blank),
        n_not_finite=sum(
            values.size < image.size for values, image in zip(finite, images, strict=True)
        ),
        n_negative=sum(bool((values < 0).any()) for values in finite),
        voxel_size=subject.voxel_size,
        n_repeated=len(shown) - len(fingerprints),
        spectrum_drops=find_spectrum_drops(of_one_size) if of_one_size else (),
        origin=subject.origin,
        notes=subject.notes,
        thumbnail=thumbnail(images[len(images) // 2], maximum),
    )


def _needs_channel(error: ValueError) -> bool:
    return isinstance(error, ChannelError)
