from collections import Counter
from pathlib import Path

import pytest

from mrirecon.data.readers.folder import PictureSubject
from mrirecon.data.splits import assign_splits


def subject(name: str, person: str | None = None, split: str | None = None) -> PictureSubject:
    return PictureSubject(
        name=name,
        person=person or name,
        split=split,  # type: ignore[arg-type]
        files=(Path(name),),
        channel=None,
        is_single_file=False,
    )


PEOPLE = [subject(f"P{number}") for number in range(20)]


def test_fractions_are_met_by_the_number_of_persons() -> None:
    splits = assign_splits(PEOPLE, (0.5, 0.2, 0.3), seed=1)

    assert Counter(splits.values()) == {"train": 10, "val": 4, "test": 6}


def test_the_seed_alone_decides_who_is_where() -> None:
    splits = assign_splits(PEOPLE, seed=1)

    assert splits == assign_splits(PEOPLE[::-1], seed=1)
    assert splits != assign_splits(PEOPLE, seed=2)


def test_all_sessions_of_a_person_are_in_one_split() -> None:
    sessions = [subject(f"P{n}/{when}", f"P{n}") for n in range(9) for when in ("a", "b")]

    splits = assign_splits(sessions, (0.4, 0.3, 0.3))

    assert all(splits[f"P{n}/a"] == splits[f"P{n}/b"] for n in range(9))


def test_each_split_with_a_fraction_has_a_person() -> None:
    assert set(assign_splits(PEOPLE[:3], (0.9, 0.05, 0.05)).values()) == {"train", "val", "test"}
    assert set(assign_splits(PEOPLE[:2], (0.9, 0.0, 0.1)).values()) == {"train", "test"}


def test_given_splits_are_kept_unless_others_are_asked_for() -> None:
    given = [subject("P1", split="train"), subject("P2", split="val")]

    assert assign_splits(given) == {"P1": "train", "P2": "val"}
    assert assign_splits(given, "test") == {"P1": "test", "P2": "test"}
    assert assign_splits(given, {"P1": "val", "P2": "test"}) == {"P1": "val", "P2": "test"}


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ((0.5, 0.5, 0.5), "splits: expected three fractions of 0 or more with sum 1"),
        ((1.2, -0.2, 0.0), "splits: expected three fractions of 0 or more with sum 1"),
        ("training", "splits: expected train, val or test, got 'training'"),
        ({"P0": "train"}, "splits: expected a split for every subject, got none for P1"),
        ({"P0": "train", "P1": "val", "Q": "val"}, "splits: expected names of subjects, got 'Q'"),
        (None, "splits: expected 3 persons or more for train, val, test, got 2"),
    ],
)
def test_unusable_splits_are_refused(splits: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        assign_splits(PEOPLE[:2], splits)  # type: ignore[arg-type]


def test_a_person_in_two_splits_is_refused() -> None:
    """Slices of one patient in training and in test made earlier scores worthless."""
    sessions = [subject("P1/a", "P1", "train"), subject("P1/b", "P1", "test")]

    with pytest.raises(ValueError, match="expected P1 in one split, got P1/a in train and P1/b in"):
        assign_splits(sessions)
