"""`mrirecon prepare` with several processes, and with splits shared out by a table's columns."""

from pathlib import Path

from command import Command

from mrirecon.data import SliceStore


def save_table(path: Path) -> Path:
    """Write a row for each person of the fixture: three of grade 2, three of grade 3."""
    rows = [f"person_{number},{2 + number % 2}" for number in range(6)]
    path.write_text("\n".join(["Patient,grade", *rows]) + "\n")
    return path


def test_each_split_gets_its_share_of_a_tables_column(
    mrirecon: Command, pictures: Path, tmp_path: Path
) -> None:
    """Two processes write the bytes of one; one person of each grade is in each split."""
    table = save_table(tmp_path / "table.csv")
    options = ["--stratify-by", "grade", "--table", table, "--fractions", *[1 / 3] * 3]
    for n_workers in (1, 2):
        out = ["--out", tmp_path / f"{n_workers}.h5", "--workers", n_workers]
        result = mrirecon("prepare", pictures, *options, *out)
        assert result.status == 0, result.err
        assert "grade" in result.out
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()
    with SliceStore(tmp_path / "2.h5") as store:
        grades = {
            split: sorted(int(s.person[-1]) % 2 for s in store.subjects if s.split == split)
            for split in store.splits
        }
    assert grades == {"train": [0, 1], "val": [0, 1], "test": [0, 1]}


def test_a_column_that_the_table_lacks_ends_in_one_line(
    mrirecon: Command, pictures: Path, tmp_path: Path
) -> None:
    table, out = save_table(tmp_path / "table.csv"), tmp_path / "store.h5"
    options = ["--stratify-by", "sex", "--table", table, "--out", out]
    result = mrirecon("prepare", pictures, *options)
    assert result.status == 1
    assert "stratify_by: expected some of grade" in result.err
    assert "got 'sex'" in result.err
    assert not out.exists()
