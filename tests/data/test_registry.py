from pathlib import Path

import numpy as np
import pytest
from raw_sources import coil_kspace, dicom_slice, save_dicom, save_fastmri
from sources import random_pixels, save_nifti, save_picture, save_subjects

from mrirecon.data import SliceStore, prepare, read_source
from mrirecon.data.prepare import PrepareConfig


def test_a_folder_of_several_kinds_gives_the_volumes_of_each(tmp_path: Path) -> None:
    save_nifti(tmp_path / "a" / "head.nii", random_pixels(1, (4, 5, 6)))
    save_dicom(tmp_path / "b" / "1.dcm", dicom_slice(random_pixels(1)))
    save_fastmri(tmp_path / "c.h5", kspace=coil_kspace(0, 1, 8, 8)[0])
    save_picture(tmp_path / "preview.png", random_pixels(1))
    (tmp_path / "other.h5").write_bytes(b"no HDF5")

    source = read_source(tmp_path)

    assert source.kind == "DICOM, NIfTI, fastMRI"
    assert [subject.name for subject in source.subjects] == ["patient_7/series_5", "head", "c"]
    assert [file.name for file in source.ignored] == ["other.h5", "preview.png"]


def test_several_sources_become_one_store_with_names_that_differ(tmp_path: Path) -> None:
    first = save_subjects(tmp_path / "first", n_subjects=2, n_slices=2)
    second = save_subjects(tmp_path / "second", n_subjects=1, n_slices=2)
    save_dicom(tmp_path / "third" / "1.dcm", dicom_slice(random_pixels(1)))
    sources = [first, second, tmp_path / "third"]

    prepare(sources, tmp_path / "store.h5", PrepareConfig(splits="test"))

    with SliceStore(tmp_path / "store.h5") as store:
        assert [subject.name for subject in store.subjects] == [
            "P1",
            "P2",
            "P1 (2)",
            "patient_7/series_5",
        ]
        assert store.provenance["sources"] == [str(source) for source in sources]
        assert [subject.files[0] for subject in store.subjects] == [
            "P1/P1_1.png",
            "P2/P2_1.png",
            "P1/P1_1.png",
            "1.dcm",
        ]
        np.testing.assert_array_equal(store.read_rows(range(6, 7))[0], random_pixels(1))


def test_no_source_at_all_is_said() -> None:
    with pytest.raises(ValueError, match="path: expected a file or folder, got none"):
        read_source([])


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = save_picture(tmp_path / "secret" / "1.png", random_pixels(1))
    root = save_subjects(tmp_path / "in", n_subjects=1)
    (root / "P1" / "P1_9.png").symlink_to(root / "P1" / "P1_1.png")
    assert len(read_source(root).subjects[0].files) == 5
    (root / "P1" / "outside.png").symlink_to(secret)

    with pytest.raises(ValueError, match=r"outside\.png: expected files inside of .*got a link to"):
        read_source(root)


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    root = save_subjects(tmp_path / "in", n_subjects=1)
    (root / "P1" / "again").symlink_to(root)
    (root / "P1" / "itself.png").symlink_to(root / "P1" / "itself.png")

    assert len(read_source(root).subjects[0].files) == 4
