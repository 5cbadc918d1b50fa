"""What `prepare` leaves out when it is asked to clean, and how it lists it."""

from pathlib import Path

import numpy as np
import pytest
from sources import cut_short, random_pixels, save_nifti, save_picture, save_subjects

from mrirecon.data import LeftOut, PrepareConfig, SliceStore, prepare

CLEAN = PrepareConfig(splits="test", drop_blank=True, drop_repeated=True, drop_damaged=True)


def test_a_clean_source_stays_whole(tmp_path: Path) -> None:
    done = prepare(save_subjects(tmp_path / "in"), tmp_path / "store.h5", CLEAN)

    assert (done.left_out, done.n_slices) == ((), {"test": 12})


def test_repeated_slices_are_left_out_and_listed(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=2, n_slices=3)
    save_picture(source / "P1" / "P1_3.png", random_pixels(101))
    save_picture(source / "P2" / "P2_2.png", random_pixels(102))

    done = prepare(source, tmp_path / "store.h5", CLEAN)

    assert done.left_out == (LeftOut("P1", 2, "repeated"), LeftOut("P2", 1, "repeated"))
    with SliceStore(done.path) as store:
        assert store.numbers.tolist() == [0, 1, 0, 2]
        assert store.provenance["left_out"] == [
            {"subject": "P1", "slice": 2, "reason": "repeated"},
            {"subject": "P2", "slice": 1, "reason": "repeated"},
        ]


def test_a_damaged_picture_is_left_out_with_its_error(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=2, n_slices=3)
    cut_short(source / "P2" / "P2_2.png", 0.8)

    done = prepare(source, tmp_path / "store.h5", CLEAN)

    (entry,) = done.left_out
    assert entry.subject == "P2"
    assert "P2_2.png: expected a whole PNG picture" in entry.reason
    with SliceStore(done.path) as store:
        assert store.numbers.tolist() == [0, 1, 2, 0, 2]


def test_slices_that_are_no_magnitudes_and_subjects_without_any_are_left_out(
    tmp_path: Path,
) -> None:
    volume = random_pixels(1, (8, 8, 4)).astype(np.float32) + 1
    volume[0, 0, 1], volume[0, 0, 2] = np.nan, -1
    save_nifti(tmp_path / "in" / "head.nii", volume)
    save_nifti(tmp_path / "in" / "nothing.nii", np.zeros((8, 8, 2), np.float32))

    done = prepare(tmp_path / "in", tmp_path / "store.h5", CLEAN)

    reasons = {(entry.subject, entry.slice): entry.reason for entry in done.left_out}
    assert reasons[("head", 1)] == "expected finite values, got 1 NaN or Inf"
    assert reasons[("head", 2)].startswith("expected magnitudes, 0 or more, got -1.0")
    assert reasons[("nothing", 0)] == reasons[("nothing", 1)] == "blank"
    assert done.n_subjects == {"test": 1}


def test_a_source_without_a_sound_slice_makes_no_store(tmp_path: Path) -> None:
    save_nifti(tmp_path / "head.nii", np.full((8, 8, 2), np.nan, np.float32))

    with pytest.raises(ValueError, match=r"head\.nii: expected a slice to keep, got none"):
        prepare(tmp_path / "head.nii", tmp_path / "store.h5", CLEAN)
    assert [file.name for file in tmp_path.iterdir()] == ["head.nii"]


def test_cleaning_goes_on_where_it_was_stopped_to_the_same_bytes(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=2, n_slices=3)
    save_picture(source / "P2" / "P2_2.png", random_pixels(102))
    save_picture(source / "P1" / "P1_3.png", np.zeros((8, 10), np.uint8))

    for name, resume in (("a.h5", False), ("b.h5", True), ("b.h5", True)):
        prepare(source, tmp_path / name, CLEAN, resume=resume, overwrite=True)

    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_the_licence_of_the_data_is_kept(tmp_path: Path) -> None:
    source = save_subjects(tmp_path / "in", n_subjects=1)
    (source / "LICENSE.txt").write_text("for research alone")
    given = PrepareConfig(splits="test", licence="as agreed")

    for name, config, kept in (("a.h5", CLEAN, "for research alone"), ("b.h5", given, "as agreed")):
        with SliceStore(prepare(source, tmp_path / name, config).path) as store:
            assert store.provenance["licences"] == [kept]
