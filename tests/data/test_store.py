from pathlib import Path

import h5py
import numpy as np
import pytest
from sources import cut_short, save_subjects

from mrirecon.data import PrepareConfig, SliceStore, prepare
from mrirecon.data.store_writer import SliceWriter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    source = save_subjects(tmp_path / "in", n_subjects=2)
    return prepare(source, tmp_path / "store.h5", PrepareConfig(splits="test")).path


def test_rows_are_read_in_any_order(path: Path) -> None:
    with SliceStore(path) as store:
        everything = store.read_rows(range(len(store)))
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


@pytest.mark.parametrize(
    ("version", "told"),
    [(1, "got 1; it is older: make it anew with 'mrirecon prepare'"), (3, "got 3$")],
)
def test_a_store_of_another_format_is_refused(path: Path, version: int, told: str) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = version

    with pytest.raises(ValueError, match=f"expected format version 2, {told}"):
        SliceStore(path)


def test_a_store_without_its_tables_is_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["subjects/scale"]

    with pytest.raises(ValueError, match=r"store\.h5: expected a whole slice store, got .*scale"):
        SliceStore(path)


def test_a_volume_whose_bytes_changed_is_named(path: Path) -> None:
    with SliceStore(path) as store:
        store.require_unchanged()
    with h5py.File(path, "r+") as file:
        file["images/1"][2, 3, 4] += 1

    with (
        SliceStore(path) as store,
        pytest.raises(ValueError, match="the pixels of P2 as they were"),
    ):
        store.require_unchanged()


def test_a_store_that_was_packed_anew_is_refused(path: Path) -> None:
    """A compressed volume has no place in the file that could be mapped."""
    with h5py.File(path, "r+") as file:
        images = file["images/1"][()]
        del file["images/1"]
        file.create_dataset("images/1", data=images, compression="gzip")

    with pytest.raises(ValueError, match=r"expected contiguous volumes of one type, got /images/1"):
        SliceStore(path)


def test_slices_are_copied_into_the_memory_that_is_handed_in(path: Path) -> None:
    with SliceStore(path) as store:
        out = np.zeros((2, *store.shapes[0]), store.dtype)
        assert store.read_rows([3, 1], out) is out
        np.testing.assert_array_equal(out, store.read_rows(range(8))[[3, 1]])


def test_a_closed_store_and_slices_of_two_shapes_are_refused(tmp_path: Path, path: Path) -> None:
    store = SliceStore(path)
    store.close()
    with pytest.raises(ValueError, match=r"store\.h5: expected an open store, got a closed one"):
        store.read_rows([0])
    with SliceWriter(tmp_path / "two.h5", {}) as writer:
        for size in (4, 5):
            about = {"name": str(size), "person": "", "files": (), "scale": 1.0, "voxel_size": None}
            writer.add(np.ones((1, size, size)), [0], split="test", **about)
    with SliceStore(tmp_path / "two.h5") as store:
        assert store.buckets.tolist() == [0, 1]
        with pytest.raises(
            ValueError, match=r"rows: expected slices of one shape, got \(4, 4\), \(5"
        ):
            store.read_rows([0, 1])
        with pytest.raises(ValueError, match="of one shape, got none"):
            store.read_rows([])
