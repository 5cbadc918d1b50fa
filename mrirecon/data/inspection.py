"""A first look at a source: what is there, what is odd, and what `prepare` would refuse."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from mrirecon.data.pixels import is_blank
from mrirecon.data.readers import (
    ArrayOptions,
    ChannelError,
    Image,
    SliceAxis,
    Source,
    Split,
    Subject,
    read_source,
)
from mrirecon.data.readers.picture import CHOICES, LOSSY_SUFFIXES

Size = tuple[int, int]


@dataclass(frozen=True)
class SubjectReport:
    """What the slices of one subject hold; slices that cannot be read do not count."""

    name: str
    person: str
    split: Split | None
    n_slices: int
    sizes: dict[Size, int]
    """Number of slices by (rows, cols)."""
    dtypes: tuple[str, ...]
    minimum: float
    """Of all finite values; NaN if there is none."""
    maximum: float
    n_blank: int
    """Slices that show nothing, see `mrirecon.data.pixels.BLANK_AREA`."""
    n_not_finite: int
    """Slices with NaN or Inf."""
    n_negative: int
    """Slices with values below 0."""
    voxel_size: tuple[float, float, float] | None
    """Distance between (slices, rows, cols) [mm]."""


@dataclass(frozen=True)
class Inspection:
    """Findings about a source; how to show them is the caller's affair."""

    source: Source
    subjects: tuple[SubjectReport, ...]
    """Those of which a slice could be read."""
    unreadable: dict[Path, str]
    """Error text by file."""
    n_colour: int
    """Colour pictures that need a channel chosen."""
    n_lossy: int
    """JPEG files."""
    duplicates: tuple[tuple[str, ...], ...]
    """Persons that share an identical slice, which shows something."""

    @property
    def n_slices(self) -> int:
        """Slices that could be read."""
        return sum(subject.n_slices for subject in self.subjects)

    @property
    def n_blank(self) -> int:
        """Slices that show nothing."""
        return sum(subject.n_blank for subject in self.subjects)

    @property
    def sizes(self) -> dict[Size, int]:
        """Number of slices by (rows, cols), the most frequent first."""
        total: Counter[Size] = Counter()
        for subject in self.subjects:
            total.update(subject.sizes)
        return dict(total.most_common())

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Types of the pixels, the most frequent first."""
        return tuple(
            name for name, _ in Counter(d for s in self.subjects for d in s.dtypes).most_common()
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """What `prepare` refuses, and how to resolve it; one line each."""
        found = []
        if self.unreadable:
            found.append(f"{_count(len(self.unreadable), 'file')} cannot be read")
        if self.n_colour:
            pictures = _count(self.n_colour, "colour picture")
            found.append(f"{pictures}: choose a channel (--channel): {CHOICES}")
        if len(self.sizes) > 1:
            sizes = ", ".join(f"{rows} x {cols} ({n})" for (rows, cols), n in self.sizes.items())
            found.append(f"slices of {len(self.sizes)} sizes: {sizes}; choose one (--size)")
        for subject in self.subjects:
            if subject.n_not_finite:
                found.append(f"{subject.name}: NaN or Inf in {_count(subject.n_not_finite)}")
            if subject.n_negative:
                negative = f"{subject.name}: values below 0 in {_count(subject.n_negative)}"
                found.append(f"{negative}; set them to 0 with --clip-negative")
            if subject.n_blank == subject.n_slices:
                found.append(f"{subject.name}: no slice shows anything")
        return (*found, *self._persons_in_two_splits())

    @property
    def notes(self) -> tuple[str, ...]:
        """What one should know; one line each."""
        found = []
        if self.n_blank:
            found.append(f"{_count(self.n_blank)} show nothing; leave them out with --drop-blank")
        if self.n_lossy:
            found.append(f"{_count(self.n_lossy, 'JPEG file')}: lossy, not the measured values")
        for names in self.duplicates:
            found.append(f"identical slices in {', '.join(names)}: one person under several names?")
        if self.source.masks:
            found.append(f"{_count(len(self.source.masks), 'mask file')} set apart")
        if self.source.ignored:
            found.append(f"{_count(len(self.source.ignored), 'file')} of other kinds ignored")
        if len({subject.voxel_size for subject in self.subjects}) > 1:
            found.append("voxel sizes differ between subjects")
        return tuple(found)

    def _persons_in_two_splits(self) -> list[str]:
        splits = defaultdict(set)
        for subject in self.subjects:
            splits[subject.person].add(subject.split or "no split")
        return [
            f"{person}: in {' and '.join(sorted(found))}; a person belongs in one split"
            for person, found in splits.items()
            if len(found) > 1
        ]


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
    persons: dict[bytes, set[str]] = defaultdict(set)  # by fingerprint of a slice
    for done, subject in enumerate(source.subjects):
        if progress is not None:
            progress(done, len(source.subjects), subject.name)
        images = [image for _, image in subject.read_slices(errors.__setitem__)]
        if images:
            reports.append(_report(subject, images, persons))
    if progress is not None:
        progress(len(source.subjects), len(source.subjects), "")
    files = [file for subject in source.subjects for file in subject.files]
    shared = {tuple(sorted(names)) for names in persons.values() if len(names) > 1}
    return Inspection(
        source=source,
        subjects=tuple(reports),
        unreadable={
            file: str(error) for file, error in errors.items() if not _needs_channel(error)
        },
        n_colour=sum(map(_needs_channel, errors.values())),
        n_lossy=sum(file.suffix.lower() in LOSSY_SUFFIXES for file in files),
        duplicates=tuple(sorted(shared)),
    )


def _report(subject: Subject, images: list[Image], persons: dict[bytes, set[str]]) -> SubjectReport:
    """Describe a subject, and add its person to the fingerprints of its slices."""
    finite = [image[np.isfinite(image)] for image in images]
    maximum = max((float(values.max()) for values in finite if values.size), default=np.nan)
    minimum = min((float(values.min()) for values in finite if values.size), default=np.nan)
    blank = [maximum <= 0 or is_blank(image, maximum) for image in images]
    for image, shows_nothing in zip(images, blank, strict=True):
        if not shows_nothing:
            fingerprint = blake2b(image.tobytes(), digest_size=16).digest()
            persons[fingerprint].add(subject.person)
    return SubjectReport(
        name=subject.name,
        person=subject.person,
        split=subject.split,
        n_slices=len(images),
        sizes=dict(Counter(image.shape for image in images)),
        dtypes=tuple(sorted({image.dtype.name for image in images})),
        minimum=minimum,
        maximum=maximum,
        n_blank=sum(blank),
        n_not_finite=sum(
            values.size < image.size for values, image in zip(finite, images, strict=True)
        ),
        n_negative=sum(bool((values < 0).any()) for values in finite),
        voxel_size=subject.voxel_size,
    )


def _needs_channel(error: ValueError) -> bool:
    return isinstance(error, ChannelError)


def _count(number: int, noun: str = "slice") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
