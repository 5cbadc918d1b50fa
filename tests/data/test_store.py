from pathlib import Path

import h5py
import numpy as np
import pytest
from sources import cut_short, save_subjects

from mrirecon.data import PrepareConfig, SliceStore, prepare


@pytest.fixture
def path(tmp_path: Path) -> Path:
    source = save_subjects(tmp_path / "in", n_subjects=2)
    return prepare(source, tmp_path / "store.h5", PrepareConfig(splits="test")).path


def test_rows_are_read_in_any_order(path: Path) -> None:
    with SliceStore(path) as store:
        everything = store.read_range(range(len(store)))
        order = np.array([5, 0, 5, 7])
        np.testing.assert_array_equal(store.read_rows(order), everything[order])


def test_a_split_that_is_not_there_is_named_with_those_that_are(path: Path) -> None:
    with (
        SliceStore(path) as store,
        pytest.raises(ValueError, match=r"split: expected one in .*store\.h5 \(test\), got 'val'"),
    ):
        store.rows_of("val")


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_store_that_is_cut_off_is_said_to_be(path: Path, kept: float) -> None:
    cut_short(path, kept)

    with pytest.raises(ValueError, match=r"store\.h5: expected a slice store .*that is cut off"):
        SliceStore(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.h5").write_text("not HDF5 at all")
    with pytest.raises(
        ValueError, match=r"notes\.h5: expected a slice store \(HDF5\), got another"
    ):
        SliceStore(tmp_path / "notes.h5")
    with h5py.File(tmp_path / "fastmri.h5", "w") as file:
        file["kspace"] = np.zeros(3)
    with pytest.raises(ValueError, match=r"fastmri\.h5: expected a slice store, got an HDF5 file"):
        SliceStore(tmp_path / "fastmri.h5")
    with pytest.raises(FileNotFoundError, match=r"none\.h5: no such store"):
        SliceStore(tmp_path / "none.h5")
    with pytest.raises(OSError, match="expected a slice store that can be read"):
        SliceStore(tmp_path)


def test_a_store_of_a_later_format_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2

    with pytest.raises(ValueError, match="expected format version 1, got 2"):
        SliceStore(path)


def test_a_store_without_its_tables_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["subjects/scale"]

    with pytest.raises(ValueError, match=r"store\.h5: expected a whole slice store, got .*scale"):
        SliceStore(path)
