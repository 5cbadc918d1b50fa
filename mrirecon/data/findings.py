"""What an inspection found: measures of every subject, and what follows from them."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.checks import SpectrumDrop
from mrirecon.data.kspace_checks import KspaceReport
from mrirecon.data.leakage import LookAlike, StoredAlike
from mrirecon.data.noise import Snr
from mrirecon.data.orientation import Turned
from mrirecon.data.readers import Source, Split

Severity = Literal["problem", "note"]
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
    snr: Snr
    """See `magnitude_snr`."""
    was_jpeg: bool
    """Whether pixels show that they were JPEG once, see `has_jpeg_trace`."""
    halved_axes: tuple[str, ...]
    """See `find_halved_axes`."""
    origin: str
    """What the pixels are, see `Subject.origin`."""
    notes: tuple[str, ...]
    """See `Subject.notes`."""
    thumbnail: NDArray[np.uint8] = field(repr=False, compare=False)
    """The middle slice, small, grey to the volume's maximum."""


@dataclass(frozen=True)
class Finding:
    """One thing that is odd, and how to resolve it."""

    severity: Severity
    """Problems make `prepare` refuse or training unsafe; notes do not."""
    check: str
    """What was looked at, in a word or two: sizes, leakage, JPEG, ..."""
    text: str
    """One line."""
    subjects: tuple[str, ...] = ()
    """Whom it concerns; none where it is the whole source."""


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
    turned: tuple[Turned, ...]
    """Subjects that lie otherwise than the others."""
    kspace: tuple[KspaceReport, ...]
    """Of subjects with measured k-space, also where it makes no images."""
    against: Path | None
    """Store that the source was compared with."""
    stored: tuple[StoredAlike, ...]
    """What of the source is in that store."""
    findings: tuple[Finding, ...] = ()
    """Problems first."""

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
        return tuple(found.text for found in self.findings if found.severity == "problem")

    @property
    def notes(self) -> tuple[str, ...]:
        """What one should know; one line each."""
        return tuple(found.text for found in self.findings if found.severity == "note")
