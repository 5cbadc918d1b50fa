"""A first look at a source: what is there, what is odd, and what `prepare` would refuse."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from mrirecon.data.checks import find_spectrum_drops, thumbnail
from mrirecon.data.compression import has_jpeg_trace
from mrirecon.data.findings import Inspection, SubjectReport
from mrirecon.data.kspace_checks import look_at_kspace
from mrirecon.data.leakage import KeptSlices
from mrirecon.data.noise import Snr, magnitude_snr
from mrirecon.data.orientation import find_halved_axes, find_turned, mean_digest
from mrirecon.data.pixels import is_blank
from mrirecon.data.readers import ArrayOptions, ChannelError, Image, SliceAxis, Subject, read_source
from mrirecon.data.readers.picture import LOSSY_SUFFIXES
from mrirecon.data.verdicts import judge


def inspect_source(
    path: str | Path | Sequence[str | Path],
    *,
    channel: str | int | None = None,
    slice_axis: SliceAxis = "axial",
    arrays: ArrayOptions | None = None,
    against: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Inspection:
    """Read all of a source and report on it; broken files are listed and not raised.

    Args:
        path: see `read_source`.
        channel: of colour pictures, see `read_source`.
        slice_axis: of NIfTI volumes.
        arrays: of .npy, .npz and .cfl files, see `read_source`.
        against: a store that no person of the source should be in, as that of training.
        progress: called with (subjects done, subjects in all, name) before each subject, and
            with name "" at the end.

    Returns:
        The findings.

    Raises:
        FileNotFoundError: there is nothing at `path` or `against`.
        ValueError: no image is there, an option does not exist, or `against` is no store.

    Examples:
        >>> from mrirecon.data import inspect_source
        >>> inspection = inspect_source("scans")
        >>> inspection.problems
        ()
    """
    source = read_source(path, channel=channel, slice_axis=slice_axis, arrays=arrays)
    reports, kspace, patterns = [], [], []
    errors: dict[Path, ValueError] = {}
    kept = KeptSlices()
    for done, subject in enumerate(source.subjects):
        if progress is not None:
            progress(done, len(source.subjects), subject.name)
        slices = subject.read_slices(errors.__setitem__)
        if slices:
            reports.append(_report(subject, slices, kept))
            patterns.append(mean_digest([image for _, image in slices]))
        with suppress(ValueError):  # reading the slices has told of it
            kspace += [report for report in [look_at_kspace(subject)] if report is not None]
    if progress is not None:
        progress(len(source.subjects), len(source.subjects), "")
    files = [file for subject in source.subjects for file in subject.files]
    names = [report.name for report in reports]
    found = Inspection(
        source=source,
        subjects=tuple(reports),
        unreadable={
            file: str(error) for file, error in errors.items() if not _needs_channel(error)
        },
        n_colour=sum(map(_needs_channel, errors.values())),
        n_lossy=sum(file.suffix.lower() in LOSSY_SUFFIXES for file in files),
        duplicates=tuple(kept.duplicates()),
        look_alikes=tuple(kept.look_alikes()),
        turned=tuple(find_turned(names, np.array(patterns))),
        kspace=tuple(kspace),
        against=against,
        stored=() if against is None else tuple(kept.find_in_store(against)),
    )
    return replace(found, findings=judge(found))


def _report(subject: Subject, slices: list[tuple[int, Image]], kept: KeptSlices) -> SubjectReport:
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
    halved = find_halved_axes(of_one_size) if of_one_size else ()
    is_lossy = subject.files[0].suffix.lower() in LOSSY_SUFFIXES  # told of by the files
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
        snr=_snr(of_one_size, halved),
        was_jpeg=not is_lossy and bool(of_one_size) and has_jpeg_trace(of_one_size),
        halved_axes=halved,
        origin=subject.origin,
        notes=subject.notes,
        thumbnail=thumbnail(images[len(images) // 2], maximum),
    )


def _snr(images: list[Image], halved: tuple[str, ...]) -> Snr:
    if not images:
        return Snr(None, "no slice shows anything")
    if halved:
        return Snr(None, "no background, since the object lies at the edges")
    return magnitude_snr(images)


def _needs_channel(error: ValueError) -> bool:
    return isinstance(error, ChannelError)
