from pathlib import Path

import pytest
from sources import random_pixels, save_picture, save_subjects

from mrirecon.data import PrepareConfig, inspect_source, prepare


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Prepare two persons, P1 and P2, for training."""
    root = save_subjects(tmp_path / "before", n_subjects=2)
    prepare(root, tmp_path / "store.h5", PrepareConfig(splits="train"))
    return tmp_path / "store.h5"


def test_an_image_of_the_store_under_another_name_is_a_problem(tmp_path: Path, store: Path) -> None:
    for number in range(3):
        save_picture(tmp_path / "new" / "Q1" / f"{number}.png", random_pixels(900 + number))
    copy = random_pixels(203) // 2 + 30
    save_picture(tmp_path / "new" / "Q2" / "4.png", copy + random_pixels(7) // 16)
    save_picture(tmp_path / "new" / "Q2" / "5.png", copy)

    found = inspect_source(tmp_path / "new", against=store)

    (pair,) = found.stored
    assert (pair.person, pair.split, pair.slice) == ("Q2", "train", "Q2 slice 1")
    assert pair.stored == "P2 slice 2"
    (problem,) = found.findings
    assert (problem.severity, problem.check, problem.subjects) == ("problem", "leakage", ("Q2",))
    assert f"Q2 slice 1 is in {store} (train: P2 slice 2) (likeness 1.0000)" in problem.text


def test_a_person_of_the_store_is_found_by_name_although_the_images_differ(
    tmp_path: Path, store: Path
) -> None:
    save_picture(tmp_path / "new" / "P1" / "5.png", random_pixels(901))
    save_picture(tmp_path / "new" / "Q1" / "5.png", random_pixels(902))

    found = inspect_source(tmp_path / "new", against=store)

    assert found.problems == (
        f"P1: the same name in {store} (train: P1); a score on it would be of data seen before",
    )


def test_without_a_store_or_with_another_one_nothing_is_found(tmp_path: Path, store: Path) -> None:
    save_picture(tmp_path / "new" / "Q1" / "5.png", random_pixels(902))
    assert inspect_source(tmp_path / "new", against=store).findings == ()
    with pytest.raises(FileNotFoundError, match=r"none\.h5: no such store"):
        inspect_source(tmp_path / "new", against=tmp_path / "none.h5")
