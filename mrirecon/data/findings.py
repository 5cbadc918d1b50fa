"""What an inspection found: counts, what `prepare` refuses, what makes training unsafe."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.checks import SpectrumDrop
from mrirecon.data.readers import Source, Split
from mrirecon.data.readers.picture import CHOICES

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
    n_repeated: int
    """Slices that show something and equal an earlier one of this subject."""
    spectrum_drops: tuple[SpectrumDrop, ...]
    """Axes along which the outer k-space is nearly empty, see `find_spectrum_drops`."""
    origin: str
    """What the pixels are, see `Subject.origin`."""
    notes: tuple[str, ...]
    """See `Subject.notes`."""
    thumbnail: NDArray[np.uint8] = field(repr=False, compare=False)
    """The middle slice, small, grey to the volume's maximum."""


@dataclass(frozen=True)
class LookAlike:
    """Two slices of two persons that are one image, up to contrast, noise or compression."""

    first: str
    """Subject and number of the slice."""
    second: str
    persons: tuple[str, str]
    likeness: float
    """Correlation, see `mrirecon.data.checks.LOOK_ALIKE`."""


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
    look_alikes: tuple[LookAlike, ...]
    """Slices of persons that share no identical one, the two most alike of each pair."""

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
        """What `prepare` refuses or makes training unsafe, and how to resolve it; one line each."""
        found = []
        if self.unreadable:
            found.append(f"{_count(len(self.unreadable), 'file')} cannot be read")
        if self.n_colour:
            pictures = _count(self.n_colour, "colour picture")
            found.append(f"{pictures}: choose a channel (--channel): {CHOICES}")
        for subject in self.subjects:
            if subject.n_not_finite:
                found.append(f"{subject.name}: NaN or Inf in {_count(subject.n_not_finite)}")
            if subject.n_negative:
                negative = f"{subject.name}: values below 0 in {_count(subject.n_negative)}"
                found.append(f"{negative}; set them to 0 with --clip-negative")
            if len(subject.sizes) > 1:
                sizes = ", ".join(f"{r} x {c} ({n})" for (r, c), n in subject.sizes.items())
                found.append(
                    f"{subject.name}: slices of several sizes: {sizes}; choose one (--size)"
                )
            if subject.n_blank == subject.n_slices:
                found.append(f"{subject.name}: no slice shows anything")
        return (*found, *self._persons_in_two_splits(), *self._one_image_of_two_persons())

    @property
    def notes(self) -> tuple[str, ...]:
        """What one should know; one line each."""
        found = []
        if self.n_blank:
            found.append(f"{_count(self.n_blank)} show nothing; leave them out with --drop-blank")
        if self.n_lossy:
            found.append(f"{_count(self.n_lossy, 'JPEG file')}: lossy, not the measured values")
        for subject in self.subjects:
            found += [f"{subject.name}: {note}" for note in subject.notes]
            if subject.n_repeated:
                found.append(f"{subject.name}: {_count(subject.n_repeated)} repeated")
        found += self._interpolated()
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

    def _one_image_of_two_persons(self) -> list[str]:
        found = [f"identical slices in {', '.join(names)}" for names in self.duplicates]
        found += [
            f"{pair.first} and {pair.second} look alike ({pair.likeness:.4f})"
            for pair in self.look_alikes
        ]
        return [f"{text}: one person under several names stands in two splits" for text in found]

    def _interpolated(self) -> list[str]:
        """Tell of all subjects at once, since whole data sets are made alike."""
        found = [subject for subject in self.subjects if subject.spectrum_drops]
        if not found:
            return []
        drops = sorted({drop.axis for subject in found for drop in subject.spectrum_drops})
        extents = [drop.extent for subject in found for drop in subject.spectrum_drops]
        lines = " to ".join(sorted({f"{min(extents):.0%}", f"{max(extents):.0%}"}))
        return [
            f"{_count(len(found), 'subject')}: k-space is nearly empty beyond {lines} of "
            f"{' and '.join(drops)}: interpolated or zero-padded before; scores on such images "
            "promise too much (Shimron 2022)"
        ]


def _count(number: int, noun: str = "slice") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
