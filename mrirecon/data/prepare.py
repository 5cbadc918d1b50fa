"""Turn a source of images into a slice store: checked, split by person, whole or not at all."""

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from mrirecon.data.parts import Parts
from mrirecon.data.prepare_config import PrepareConfig
from mrirecon.data.prepare_plan import Plan, make_plan
from mrirecon.data.prepared_subject import REPEATED, LeftOut, PreparedSubject, prepare_subject
from mrirecon.data.provenance import Summary, describe_source
from mrirecon.data.readers import Source, Split, Subject
from mrirecon.data.store_file import digest_of
from mrirecon.data.store_writer import SliceWriter
from mrirecon.data.strata import Stratum
from mrirecon.data.workers import map_in_order
from mrirecon.files import atomic_path
from mrirecon.version import __version__

Progress = Callable[[int, int, str], None]
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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
    left_out: tuple[LeftOut, ...]
    """Slices that the store does not hold, and why."""
    traits: tuple[str, ...]
    """What strata are told apart by."""
    strata: dict[Stratum, Counter[Split]]
    """Persons of each stratum by split."""

    @property
    def uneven_strata(self) -> tuple[Stratum, ...]:
        """Strata of which a split has nobody, though others are in it."""
        used = set(self.n_subjects)
        return tuple(stratum for stratum, counts in self.strata.items() if used - set(counts))


def prepare(
    source: str | Path | Sequence[str | Path],
    out: str | Path,
    config: PrepareConfig | None = None,
    *,
    overwrite: bool = False,
    resume: bool = False,
    n_workers: int = 1,
    progress: Progress | None = None,
) -> Prepared:
    """Write all slices of a source to a store; the same files give the same bytes.

    Magnitudes stay as they are, in the files' type; of k-space `config.keep` may keep the complex
    image of every coil. Each volume's maximum is kept beside it. Memory holds one subject, and
    one more for each process.

    Args:
        source: see `read_source`.
        out: store to write, an HDF5 file.
        config: how; None for the defaults.
        overwrite: replace a store that exists.
        resume: keep finished subjects beside `out` until the store is whole, and use those of an
            earlier call that was stopped.
        n_workers: processes that read and check subjects, see `map_in_order`.
        progress: called with (subjects done, subjects in all, name) before each subject, and
            with name "" at the end.

    Returns:
        What was written.

    Raises:
        ValueError: a file or an option cannot be used; nothing is written.
        OSError: `out` exists or cannot be written, the disk is full, or a process died; nothing is
            left of it.

    Examples:
        >>> from mrirecon.data import prepare
        >>> prepared = prepare("scans", "brains.h5")  # a folder of NIfTI files
        >>> prepared.n_slices
        {'train': 64, 'val': 8, 'test': 8}
    """
    out, config = Path(out), config or PrepareConfig()
    if n_workers < 1:
        raise ValueError(f"n_workers: expected 1 or more, got {n_workers}")
    _require_writable(out, overwrite)
    plan = make_plan(source, config)
    parts = Parts(out, [asdict(config), __version__]) if resume else None
    make = partial(_make, config=config, parts=parts)
    with (
        _naming_when_full(out),
        atomic_path(out) as temporary,
        SliceWriter(temporary, describe_source(plan.source, config)) as writer,
        closing(map_in_order(make, plan.subjects, n_workers, name_of=_name_of)) as all_made,
    ):
        summary = _write(writer, plan, all_made, config, progress)
        writer.provenance |= {**summary.provenance(), "strata": plan.describe_strata()}
    if parts is not None:
        parts.remove()
    if progress is not None:
        progress(len(plan.subjects), len(plan.subjects), "")
    return Prepared(
        path=out,
        source=plan.source,
        n_subjects=dict(summary.n_subjects),
        n_slices=dict(summary.n_slices),
        left_out=tuple(summary.left_out),
        traits=plan.traits,
        strata=plan.strata,
    )


def _write(
    writer: SliceWriter,
    plan: Plan,
    all_made: Iterator[PreparedSubject],
    config: PrepareConfig,
    progress: Progress | None,
) -> Summary:
    """Write the subjects one after another."""
    summary = Summary()
    for done, subject in enumerate(plan.subjects):
        if progress is not None:
            progress(done, len(plan.subjects), subject.name)
        made = next(all_made)
        if config.drop_repeated:
            made = _without_repeated(subject, made, summary.seen)
        split = plan.splits[subject.name]
        summary.add(split, made)
        if len(made.images):
            images = [image.astype(plan.dtype, copy=False) for image in made.images]
            _add(writer, subject, split, replace(made, images=images), plan.source)
    if not summary.n_slices:
        where = plan.source.paths[0]
        raise ValueError(f"{where}: expected a slice to keep, got none that is sound")
    return summary


def _name_of(subject: Subject) -> str:
    return str(subject.files[0])


def _make(subject: Subject, config: PrepareConfig, parts: Parts | None) -> PreparedSubject:
    if parts is None:
        return prepare_subject(subject, config)
    return parts.get_or_make(subject, lambda: prepare_subject(subject, config))


def _without_repeated(subject: Subject, made: PreparedSubject, seen: set[str]) -> PreparedSubject:
    """Leave out the slices whose pixels were seen before, and remember those of the others."""
    kept, repeated = [], []
    for place, (number, image) in enumerate(zip(made.numbers.tolist(), made.images, strict=True)):
        digest = digest_of([image])
        if digest in seen:
            repeated.append(LeftOut(subject.name, number, REPEATED))
        else:
            kept.append(place)
        seen.add(digest)
    return replace(
        made,
        images=[made.images[place] for place in kept],
        numbers=made.numbers[kept],
        left_out=(*made.left_out, *repeated),
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
