"""Files damaged by chance: every reader ends in images or in one line that names the file.

The same on thousands of files: `python tests/mutations.py`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mutations import damaged_source, read_all
from whole_files import MAKERS, save_small_mrd

from mrirecon.data import prepare, read_source
from mrirecon.data.prepare import PrepareConfig

N_FILES = 50
TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("kind", MAKERS)
def test_whole_files_are_read(tmp_path: Path, kind: str) -> None:
    name, make = MAKERS[kind]
    read_all(make(tmp_path / name))


def test_damaged_files_give_images_or_one_line_that_names_them() -> None:
    """In a process of its own, since a library that hangs or crashes takes its process along."""
    done = subprocess.run(
        [sys.executable, TESTS / "mutations.py", "--first", "10000", "--count", str(N_FILES)],
        env={"PYTHONPATH": f"{TESTS.parent}:{TESTS}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.endswith(" files, 0 faults")] == []
    assert len(lines) == len(MAKERS)


@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_leaves_nothing_half_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for seed in range(30):
        source = damaged_source("dicom", tmp_path, seed)
        try:
            prepare(source, out / "store.h5", PrepareConfig(splits="test"), overwrite=True)
        except ValueError:
            assert not out.exists() or list(out.iterdir()) == []
        else:
            assert [file.name for file in out.iterdir()] == ["store.h5"]
            (out / "store.h5").unlink()


@pytest.mark.parametrize("value", [0, 1, 2**63, 2**64 - 1])
def test_a_damaged_heap_is_refused_before_hdf5_sees_it(tmp_path: Path, value: int) -> None:
    """HDF5 2.0 never returned from a free object of size 0."""
    whole = save_small_mrd(tmp_path / "a.mrd")
    contents = bytearray(whole.read_bytes())
    place = contents.index(b"GCOL") + 16
    while contents[place : place + 2] != b"\0\0":
        size = int.from_bytes(contents[place + 8 : place + 16], "little")
        place += 16 + -(-size // 8) * 8
    contents[place + 8 : place + 16] = value.to_bytes(8, "little")
    damaged = tmp_path / "b.mrd"
    damaged.write_bytes(contents)

    with pytest.raises(ValueError, match=r"b\.mrd: expected a whole HDF5 file, got a damaged heap"):
        read_source(damaged).subjects[0].read_volume()
    shutil.copy(whole, damaged)  # the check sees that the file has changed
    read_source(damaged).subjects[0].read_volume()
