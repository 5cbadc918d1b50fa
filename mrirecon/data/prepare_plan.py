"""What a source becomes before any pixel is read: who goes into which split, in which type."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mrirecon.data.prepare_config import PrepareConfig
from mrirecon.data.readers import SPLITS, SliceHeader, Source, Split, Subject, read_source
from mrirecon.data.readers.subject import require_one_size
from mrirecon.data.splits import assign_splits
from mrirecon.data.strata import DEFAULT_TRAITS, Stratum, find_strata


@dataclass(frozen=True)
class Plan:
    """Who goes where."""

    source: Source
    subjects: tuple[Subject, ...]
    """In the order of the store: those of a split follow each other."""
    splits: dict[str, Split]
    """Of each subject by its name."""
    traits: tuple[str, ...]
    """What strata are told apart by."""
    strata: dict[Stratum, Counter[Split]]
    """Persons of each stratum by split."""
    dtype: np.dtype[Any]
    """That holds the pixels of all subjects exactly."""

    def describe_strata(self) -> list[dict[str, Any]]:
        """Count the persons of each stratum, as JSON holds it."""
        return [
            {"traits": dict(zip(self.traits, stratum, strict=True)), "persons": dict(counts)}
            for stratum, counts in self.strata.items()
        ]


def make_plan(source: str | Path | Sequence[str | Path], config: PrepareConfig) -> Plan:
    """Look through a source, and share its persons out.

    Raises:
        ValueError: a file or an option cannot be used.
    """
    found = read_source(
        source, channel=config.channel, slice_axis=config.slice_axis, arrays=config.arrays
    )
    headers = {subject.name: _headers(subject, config) for subject in found.subjects}
    table = None if config.table is None else Path(config.table)
    strata = find_strata(found, headers, config.stratify_by, table)
    splits = assign_splits(found.subjects, config.splits, seed=config.seed, strata=strata)
    counts: dict[Stratum, Counter[Split]] = {stratum: Counter() for stratum in strata.values()}
    for person, split in {s.person: splits[s.name] for s in found.subjects}.items():
        counts[strata[person]][split] += 1
    return Plan(
        source=found,
        subjects=tuple(sorted(found.subjects, key=lambda s: SPLITS.index(splits[s.name]))),
        splits=splits,
        traits=DEFAULT_TRAITS if config.stratify_by is None else config.stratify_by,
        strata=dict(sorted(counts.items())),
        dtype=_common_dtype(headers.values(), config),
    )


def _common_dtype(
    all_headers: Iterable[Sequence[SliceHeader]], config: PrepareConfig
) -> np.dtype[Any]:
    if config.keep == "complex":
        return np.dtype(np.complex64)
    dtypes = set()
    for headers in all_headers:
        if headers and config.size is None:
            require_one_size(headers)
        dtypes |= {header.dtype for header in headers}
    return np.result_type(*dtypes) if dtypes else np.dtype(np.float32)


def _headers(subject: Subject, config: PrepareConfig) -> Sequence[SliceHeader]:
    """Read sizes and types; of damaged files that may be left out, those of sound slices."""
    try:
        return subject.headers()
    except ValueError:
        if not config.drop_damaged:
            raise
    sound = subject.read_slices(lambda _file, _error: None)
    return [SliceHeader(subject.files[0], image.shape, image.dtype) for _, image in sound]
