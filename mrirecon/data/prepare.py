"""Turn a source of images into a slice store: checked, split by person, whole or not at all."""

import errno
import os
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np

from mrirecon.data.pixels import fit_centre, is_blank
from mrirecon.data.prepared_subject import Parts, PreparedSubject
from mrirecon.data.readers import (
    SPLITS,
    ArrayOptions,
    Image,
    SliceAxis,
    Source,
    Split,
    Subject,
    read_source,
)
from mrirecon.data.readers.nifti import require_slice_axis
from mrirecon.data.readers.picture import parse_channel
from mrirecon.data.readers.subject import require_one_size
from mrirecon.data.splits import Fractions, assign_splits
from mrirecon.data.store_writer import SliceWriter
from mrirecon.files import atomic_path
from mrirecon.version import __version__

Progress = Callable[[int, int, str], None]
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class PrepareConfig:
    """How a source becomes a store."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    channel: str | int | None = None
    """Of colour pictures: pre, flair, post, red, green, blue, luminance or 0 to 2."""
    slice_axis: SliceAxis = "axial"
    """Axis along which NIfTI volumes are cut."""
    arrays: ArrayOptions | None = None
    """What .npy, .npz and .cfl files hold, which they do not tell themselves."""
    splits: Fractions | Split | Mapping[str, Split] | None = None
    """Fractions of the persons for (train, val, test), one split for all, or the split of each
    subject; None keeps the source's own, or takes 0.8, 0.1 and 0.1."""
    seed: int = 0
    """Of the shuffle before persons are shared out by fractions."""
    size: tuple[int, int] | None = None
    """(rows, cols) to crop and pad to about the centre; None asks for slices of one size."""
    drop_blank: bool = False
    """Leave out slices that show nothing, see `BLANK_AREA`."""
    clip_negative: bool = False
    """Set values below 0 to 0 instead of refusing them."""

    def __post_init__(self) -> None:
        """Check what can be checked without files."""
        parse_channel(self.channel)
        require_slice_axis(self.slice_axis)
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise ValueError(f"size: expected two numbers of 1 or more, got {self.size}")


@dataclass(frozen=True)
class Prepared:
    """What was written."""

    path: Path
    """The store."""
    source: Source
    """What was read, with the files left out."""
    n_subjects: dict[Split, int]
    """Number of subjects by split."""
    n_slices: dict[Split, int]
    """Number of slices by split."""
    n_blank_dropped: int
    """Slices left out because they show nothing."""


def prepare(
    source: str | Path | Sequence[str | Path],
    out: str | Path,
    config: PrepareConfig | None = None,
    *,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> Prepared:
    """Write all slices of a source to a store; the same files give the same bytes.

    The pixels stay as they are, in the files' type; each volume's maximum is kept beside them.

    Args:
        source: see `read_source`.
        out: store to write, an HDF5 file.
        config: how; None for the defaults.
        overwrite: replace a store that exists.
        resume: keep finished subjects beside `out` until the store is whole, and use those of an
            earlier call that was stopped.
        progress: called with (subjects done, subjects in all, name) before each subject, and
            with name "" at the end.

    Returns:
        What was written.

    Raises:
        ValueError: a file or an option cannot be used; nothing is written.
        OSError: `out` exists or cannot be written, or the disk is full; nothing is left of it.
    """
    out, config = Path(out), config or PrepareConfig()
    _require_writable(out, overwrite)
    found = read_source(
        source, channel=config.channel, slice_axis=config.slice_axis, arrays=config.arrays
    )
    splits = assign_splits(found.subjects, config.splits, seed=config.seed)
    subjects = sorted(found.subjects, key=lambda subject: SPLITS.index(splits[subject.name]))
    shape, dtype = _common_header(subjects, config.size)
    provenance = {
        "sources": [str(path.resolve()) for path in found.paths],
        "kind": found.kind,
        "origins": dict(Counter(subject.origin for subject in subjects)),
        "simulated": True,  # images are kept, so that all k-space made of them is
        "config": asdict(config),
        "versions": _versions(),
    }
    counts: Counter[Split] = Counter()
    n_blank = 0
    parts = Parts(out, [asdict(config), __version__]) if resume else None
    with (
        _naming_when_full(out),
        atomic_path(out) as temporary,
        SliceWriter(temporary, shape, dtype, provenance) as writer,
    ):
        for done, subject in enumerate(subjects):
            if progress is not None:
                progress(done, len(subjects), subject.name)
            made = _make(subject, config, parts)
            _add(writer, subject, splits[subject.name], made, found)
            counts[splits[subject.name]] += len(made.images)
            n_blank += made.n_blank
    if parts is not None:
        parts.remove()
    if progress is not None:
        progress(len(subjects), len(subjects), "")
    n_subjects = Counter(splits.values())
    return Prepared(out, found, dict(n_subjects), dict(counts), n_blank)


def _make(subject: Subject, config: PrepareConfig, parts: Parts | None) -> PreparedSubject:
    if parts is None:
        return _prepare_subject(subject, config)
    return parts.get_or_make(subject, lambda: _prepare_subject(subject, config))


def _prepare_subject(subject: Subject, config: PrepareConfig) -> PreparedSubject:
    """Read, check and fit the slices of a subject."""
    slices = subject.read_slices()
    n_slices = len(slices)
    for number, image in slices:
        _require_magnitudes(subject.files[min(number, len(subject.files) - 1)], image, config)
    scale = max(float(image.max()) for _, image in slices)
    if config.drop_blank:
        slices = [(number, image) for number, image in slices if not is_blank(image, scale)]
    if scale <= 0 or not slices:
        raise ValueError(
            f"{subject.files[0]}: expected an image in {subject.name}, got only blanks"
        )
    size = config.size or slices[0][1].shape
    images = np.stack([fit_centre(image, size) for _, image in slices])
    return PreparedSubject(
        images=images.clip(min=0) if config.clip_negative else images,
        numbers=np.array([number for number, _ in slices], dtype=np.int64),
        n_blank=n_slices - len(slices),
        scale=scale,
    )


def _add(
    writer: SliceWriter, subject: Subject, split: Split, made: PreparedSubject, source: Source
) -> None:
    writer.add(
        made.images,
        made.numbers,
        name=subject.name,
        person=subject.person,
        split=split,
        files=[source.relative(file) for file in subject.files],
        scale=made.scale,
        voxel_size=subject.voxel_size,
    )


def _common_header(
    subjects: list[Subject], size: tuple[int, int] | None
) -> tuple[tuple[int, int], np.dtype[Any]]:
    """Give the size, and the type that holds the pixels of all subjects exactly."""
    headers = [header for subject in subjects for header in subject.headers()]
    shape = size if size is not None else require_one_size(headers)
    return shape, np.result_type(*{header.dtype for header in headers})


def _require_magnitudes(file: Path, image: Image, config: PrepareConfig) -> None:
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        count = image.size - np.count_nonzero(np.isfinite(image))
        raise ValueError(f"{file}: expected finite values, got {count} NaN or Inf")
    if not config.clip_negative and image.min() < 0:
        raise ValueError(
            f"{file}: expected magnitudes, 0 or more, got {image.min()}; "
            "set them to 0 with --clip-negative"
        )


def _require_writable(out: Path, overwrite: bool) -> None:
    """Find out before the work, not after it, that the store has no place."""
    if out.is_dir():
        raise IsADirectoryError(f"{out}: expected the name of a file, got a folder")
    if out.exists() and not overwrite:
        raise FileExistsError(f"{out}: exists already; replace it with --overwrite")
    there = next(folder for folder in out.absolute().parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise PermissionError(f"{out}: cannot be written: {there} is no folder that lets us write")


@contextmanager
def _naming_when_full(out: Path) -> Iterator[None]:
    """Say which store a full disk has no room for."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        text = "the disk or its quota is full; nothing is left of the store"
        raise OSError(error.errno, f"{out}: {text}") from error


def _versions() -> dict[str, str]:
    return {
        "mrirecon": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "h5py": h5py.__version__,
    }
