"""Share subjects out among training, validation and test, each person in one of them only."""

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np

from mrirecon.data.readers import SPLITS, Split, Subject
from mrirecon.data.strata import Stratum

Fractions = tuple[float, float, float]
DEFAULT_FRACTIONS: Fractions = (0.8, 0.1, 0.1)


def assign_splits(
    subjects: Sequence[Subject],
    splits: Fractions | Split | Mapping[str, Split] | None = None,
    *,
    seed: int = 0,
    strata: Mapping[str, Stratum] | None = None,
) -> dict[str, Split]:
    """Give each subject its split.

    By fractions, every stratum gets its share of each split but for less than 2 persons, and all
    together get it but for less than 1.

    Args:
        subjects: of one source.
        splits: fractions of the persons for (train, val, test), one split for all, or the split
            of each subject by its name. None keeps the split folders of the source, and where
            it has none, takes 0.8, 0.1 and 0.1.
        seed: of the shuffle before the persons are shared out by fractions.
        strata: of each person, see `find_strata`; None treats all alike.

    Returns:
        Split by subject name.

    Raises:
        ValueError: unusable fractions, a subject without split, fewer persons than splits, or a
            person in two splits.
    """
    if splits is None and all(subject.split for subject in subjects):
        given = {subject.name: subject.split for subject in subjects if subject.split}
    elif isinstance(splits, str):
        given = {subject.name: _require_split(splits) for subject in subjects}
    elif isinstance(splits, Mapping):
        given = _fixed(subjects, splits)
    else:
        persons = {subject.person: (strata or {}).get(subject.person, ()) for subject in subjects}
        shared = _share_out(persons, splits or DEFAULT_FRACTIONS, seed)
        given = {subject.name: shared[subject.person] for subject in subjects}
    _require_one_split_each(subjects, given)
    return given


def _require_split(split: str) -> Split:
    if split not in get_args(Split):
        raise ValueError(f"splits: expected train, val or test, got {split!r}")
    return split  # type: ignore[return-value]


def _fixed(subjects: Sequence[Subject], splits: Mapping[str, Split]) -> dict[str, Split]:
    names = {subject.name for subject in subjects}
    missing, unknown = sorted(names - splits.keys()), sorted(splits.keys() - names)
    if missing:
        raise ValueError(f"splits: expected a split for every subject, got none for {missing[0]}")
    if unknown:
        raise ValueError(f"splits: expected names of subjects, got {unknown[0]!r}")
    return {name: _require_split(split) for name, split in splits.items()}


def _share_out(strata: Mapping[str, Stratum], fractions: Fractions, seed: int) -> dict[str, Split]:
    """Share persons out so that each split with a fraction above 0 gets one at least."""
    if len(fractions) != 3 or min(fractions) < 0 or not np.isclose(sum(fractions), 1):
        raise ValueError(
            f"splits: expected three fractions of 0 or more with sum 1, got {fractions}"
        )
    wanted = [split for split, fraction in zip(SPLITS, fractions, strict=True) if fraction > 0]
    if len(strata) < len(wanted):
        raise ValueError(
            f"splits: expected {len(wanted)} persons or more for {', '.join(wanted)}, got "
            f"{len(strata)}; name one split for all (--split train), or leave one out "
            "(--fractions .8 .2 0)"
        )
    counts = [int(fraction > 0) for fraction in fractions]
    for _ in range(len(strata) - sum(counts)):
        lacking = [f * len(strata) - n for f, n in zip(fractions, counts, strict=True)]
        counts[int(np.argmax(lacking))] += 1
    return _deal(_in_line(strata, seed), counts)


def _in_line(strata: Mapping[str, Stratum], seed: int) -> list[str]:
    """Line persons up: like strata side by side, from one of chance on, in each in random order."""
    random = np.random.default_rng(seed)
    shuffled: list[str] = random.permutation(sorted(strata)).tolist()
    ordered = sorted(set(strata.values()))
    first = int(random.integers(len(ordered)))
    turned = ordered[first:] + ordered[:first]
    return sorted(shuffled, key=lambda person: turned.index(strata[person]))


def _deal(persons: Sequence[str], counts: Sequence[int]) -> dict[str, Split]:
    """Give each person in turn to the split that lacks most of its share of those so far.

    No split is ever ahead by more than 2/3 or behind by 4/3, since the lacks of the three add up
    to 0 and who gets a person lacked 1/3 or more. So a run of persons is off by less than 2.
    """
    given = [0] * len(counts)
    dealt: dict[str, Split] = {}
    for place, person in enumerate(persons, 1):
        lacking = [n * place - len(persons) * g for n, g in zip(counts, given, strict=True)]
        chosen = lacking.index(max(lacking))
        given[chosen] += 1
        dealt[person] = SPLITS[chosen]
    return dealt


def _require_one_split_each(subjects: Sequence[Subject], given: Mapping[str, Split]) -> None:
    first: dict[str, Subject] = {}
    for subject in subjects:
        other = first.setdefault(subject.person, subject)
        if given[other.name] != given[subject.name]:
            raise ValueError(
                f"splits: expected {subject.person} in one split, got {other.name} in "
                f"{given[other.name]} and {subject.name} in {given[subject.name]}"
            )
