from pathlib import Path

import pytest

from mrirecon.files import atomic_path


def test_a_file_appears_whole_and_keeps_its_suffixes(tmp_path: Path) -> None:
    target = tmp_path / "new" / "image.nii.gz"
    with atomic_path(target) as temporary:
        assert temporary.name.endswith(".nii.gz")
        assert temporary.parent == target.parent
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_no_temporary_one(tmp_path: Path) -> None:
    target = tmp_path / "scores.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "checkpoint"
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        temporary.mkdir()
        (temporary / "a").write_text("a")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with atomic_path(target) as temporary:
        temporary.mkdir()
        (temporary / "a").write_text("a")
    assert (target / "a").read_text() == "a"


def test_a_writer_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "nothing.txt"):
        pass
    assert list(tmp_path.iterdir()) == []
