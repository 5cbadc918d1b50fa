"""From measures to findings: what `prepare` refuses, what makes training unsafe, what to know."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from mrirecon.data.findings import Finding, Inspection, SubjectReport
from mrirecon.data.readers.picture import CHOICES

LOW_SNR = 10.0
"""Noise of a tenth of the signal hides what undersampling costs: below it a reconstruction's scores
are limited by the target's noise."""
LEAST_ACCELERATION = 1.05
"""From which on k-space counts as undersampled."""
_MOST_NAMES = 3


def judge(found: Inspection) -> tuple[Finding, ...]:
    """Tell what follows from an inspection: problems, then notes, each in one line."""
    problems = [
        *_unreadable(found),
        *_values(found),
        *_splits(found),
        *_one_image_of_two_persons(found),
        *_in_store(found),
        *_uncentred(found),
    ]
    notes = [
        *_slices(found),
        *_lossy(found),
        *_noise(found),
        *_orientation(found),
        *_kspace(found),
        *_interpolated(found),
        *_left_out(found),
    ]
    return (*problems, *notes)


def _unreadable(found: Inspection) -> Iterator[Finding]:
    if found.unreadable:
        number = count(len(found.unreadable), "file")
        yield Finding("problem", "files", f"{number} cannot be read")
    if found.n_colour:
        pictures = count(found.n_colour, "colour picture")
        text = f"{pictures}: choose a channel (--channel): {CHOICES}"
        yield Finding("problem", "colour", text)


def _values(found: Inspection) -> Iterator[Finding]:
    for subject in found.subjects:
        name = subject.name
        if subject.n_not_finite:
            text = f"{name}: NaN or Inf in {count(subject.n_not_finite)}"
            yield Finding("problem", "values", text, (name,))
        if subject.n_negative:
            negative = f"{name}: values below 0 in {count(subject.n_negative)}"
            text = f"{negative}; set them to 0 with --clip-negative"
            yield Finding("problem", "values", text, (name,))
        if len(subject.sizes) > 1:
            sizes = ", ".join(f"{rows} x {cols} ({n})" for (rows, cols), n in subject.sizes.items())
            text = f"{name}: slices of several sizes: {sizes}; choose one (--size)"
            yield Finding("problem", "sizes", text, (name,))
        if subject.n_blank == subject.n_slices:
            yield Finding("problem", "blank", f"{name}: no slice shows anything", (name,))


def _splits(found: Inspection) -> Iterator[Finding]:
    splits = defaultdict(set)
    for subject in found.subjects:
        splits[subject.person].add(subject.split or "no split")
    for person, where in splits.items():
        if len(where) > 1:
            text = f"{person}: in {' and '.join(sorted(where))}; a person belongs in one split"
            names = tuple(s.name for s in found.subjects if s.person == person)
            yield Finding("problem", "leakage", text, names)


def _one_image_of_two_persons(found: Inspection) -> Iterator[Finding]:
    why = "one person under several names stands in two splits"
    for persons in found.duplicates:
        text = f"identical slices in {', '.join(persons)}: {why}"
        names = tuple(s.name for s in found.subjects if s.person in persons)
        yield Finding("problem", "leakage", text, names)
    for pair in found.look_alikes:
        text = f"{pair.first} and {pair.second} look alike ({pair.likeness:.4f}): {why}"
        names = tuple(s.name for s in found.subjects if s.person in pair.persons)
        yield Finding("problem", "leakage", text, names)


def _in_store(found: Inspection) -> Iterator[Finding]:
    for pair in found.stored:
        names = tuple(s.name for s in found.subjects if s.person == pair.person)
        where = f"{found.against} ({pair.split}: {pair.stored})"
        how = (
            f"the same name in {where}"
            if pair.likeness is None
            else f"{pair.slice} is in {where} (likeness {pair.likeness:.4f})"
        )
        text = f"{pair.person}: {how}; a score on it would be of data seen before"
        yield Finding("problem", "leakage", text, names)


def _uncentred(found: Inspection) -> Iterator[Finding]:
    names = [report.name for report in found.kspace if report.is_uncentred]
    if names:
        text = (
            f"{_who(names)}: k-space begins with its centre (index 0); shift it by n // 2 "
            "(fftshift), or masks measure its edge"
        )
        yield Finding("problem", "centre", text, tuple(names))


def _slices(found: Inspection) -> Iterator[Finding]:
    if found.n_blank:
        text = f"{count(found.n_blank)} show nothing; leave them out with --drop-blank"
        yield Finding("note", "blank", text)
    for subject in found.subjects:
        name = subject.name
        for note in subject.notes:
            yield Finding("note", "file", f"{name}: {note}", (name,))
        if subject.n_repeated:
            text = f"{name}: {count(subject.n_repeated)} repeated"
            yield Finding("note", "repeated", text, (name,))


def _lossy(found: Inspection) -> Iterator[Finding]:
    if found.n_lossy:
        text = f"{count(found.n_lossy, 'JPEG file')}: lossy, not the measured values"
        yield Finding("note", "JPEG", text)
    names = [subject.name for subject in found.subjects if subject.was_jpeg]
    if names:
        text = f"{_who(names)}: quantised in 8 x 8 blocks: JPEG once, not the measured values"
        yield Finding("note", "JPEG", text, tuple(names))


def _noise(found: Inspection) -> Iterator[Finding]:
    ratios = {subject.name: subject.snr for subject in found.subjects}
    ratios |= {report.name: report.snr for report in found.kspace}
    low = [
        (snr.value, name)
        for name, snr in ratios.items()
        if snr.value is not None and snr.value < LOW_SNR and not snr.is_lower_bound
    ]
    if low:
        value, lowest = min(low)
        text = (
            f"{_who([name for _, name in low])}: signal-to-noise ratio below {LOW_SNR:g} (lowest "
            f"{value:.1f}, {lowest}, by {ratios[lowest].method}): scores are limited by the noise"
        )
        yield Finding("note", "noise", text, tuple(name for _, name in low))


def _orientation(found: Inspection) -> Iterator[Finding]:
    for turned in found.turned:
        text = (
            f"{turned.name}: seems {turned.how} against the others (likeness "
            f"{turned.likeness:.2f} once turned back, {turned.likeness_before:.2f} as it is)"
        )
        yield Finding("note", "orientation", text, (turned.name,))
    halved = [subject for subject in found.subjects if subject.halved_axes]
    if halved:
        names = [subject.name for subject in halved]
        axes = sorted({axis for subject in halved for axis in subject.halved_axes})
        text = (
            f"{_who(names)}: the object lies at the edges along {' and '.join(axes)}: a shift by "
            "n // 2 is missing in the transform that made it, or was made twice"
        )
        yield Finding("note", "transform", text, tuple(names))
    if len({subject.voxel_size for subject in found.subjects}) > 1:
        yield Finding("note", "voxels", "voxel sizes differ between subjects")


def _kspace(found: Inspection) -> Iterator[Finding]:
    for report in found.kspace:
        if report.acceleration is not None and report.acceleration > LEAST_ACCELERATION:
            text = f"{report.name}: k-space is undersampled, {report.acceleration:.2f}x as measured"
            yield Finding("note", "acceleration", text, (report.name,))
        if report.is_off_centre and report.peak is not None:
            rows, cols = report.peak
            text = (
                f"{report.name}: k-space is strongest {rows:+d} rows and {cols:+d} cols from its "
                "centre (n // 2): calibration lines may miss it"
            )
            yield Finding("note", "centre", text, (report.name,))


def _interpolated(found: Inspection) -> Iterator[Finding]:
    """Tell of all subjects at once, since whole data sets are made alike."""
    dropped = [subject for subject in found.subjects if subject.spectrum_drops]
    if dropped:
        yield Finding(
            "note",
            "interpolation",
            _describe_drops(dropped),
            tuple(subject.name for subject in dropped),
        )


def _describe_drops(subjects: Sequence[SubjectReport]) -> str:
    drops = sorted({drop.axis for subject in subjects for drop in subject.spectrum_drops})
    extents = [drop.extent for subject in subjects for drop in subject.spectrum_drops]
    who = _who([subject.name for subject in subjects])
    lines = " to ".join(sorted({f"{min(extents):.0%}", f"{max(extents):.0%}"}))
    return (
        f"{who}: k-space is nearly empty beyond {lines} of {' and '.join(drops)}: interpolated or "
        "zero-padded before; scores on such images promise too much (Shimron 2022)"
    )


def _left_out(found: Inspection) -> Iterator[Finding]:
    if found.source.masks:
        yield Finding("note", "files", f"{count(len(found.source.masks), 'mask file')} set apart")
    if found.source.ignored:
        names = [file.name for file in found.source.ignored]
        text = f"{count(len(names), 'file')} of other kinds ignored ({_some(names)})"
        yield Finding("note", "files", text)


def count(number: int, noun: str = "slice") -> str:
    """Write a number of things."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _who(names: Sequence[str]) -> str:
    """Name a few subjects, and count the rest."""
    if len(names) == 1:
        return names[0]
    return f"{len(names)} subjects ({_some(names)})"


def _some(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + rest
