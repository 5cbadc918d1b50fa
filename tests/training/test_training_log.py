"""The log: what it keeps, what it drops on resuming, and what it refuses."""

import csv
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from mrirecon.training import read_records
from mrirecon.training.log import RunLog


def test_log_lines_are_json_and_the_table_has_a_row_a_step(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0)
    log.metrics([{"step": 1, "l1": 0.5}, {"step": 2, "l1": 0.25}, {"step": 2, "psnr": 30.0}])
    log.sync()
    log.close()
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines][1] == {"step": 2, "l1": 0.25}
    with (tmp_path / "metrics.csv").open() as file:
        assert list(csv.reader(file)) == [
            ["step", "l1", "psnr"],
            ["1", "0.5", ""],
            ["2", "0.25", "30.0"],
        ]


def test_resumed_log_drops_later_lines_and_an_unfinished_one(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0)
    log.metrics([{"step": step, "l1": 0.1 + step} for step in range(1, 6)])
    log.close()
    path = tmp_path / "metrics.jsonl"
    expected = "".join(path.read_text().splitlines(keepends=True)[:3])
    path.write_text(path.read_text() + '{"step": 6, "l')
    RunLog(tmp_path, 3).close()
    assert path.read_text() == expected


def test_log_refuses_a_number_that_is_not_finite(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0)
    with pytest.raises(ValueError, match=r"^l1: expected a finite number at step 2, got nan$"):
        log.metrics([{"step": 1, "l1": 0.5}, {"step": 2, "l1": float("nan")}])
    log.close()
    assert [record["step"] for record in read_records(tmp_path / "metrics.jsonl")] == [1]


@pytest.mark.parametrize("line", ["no json", "[1]", '{"l1": 2}'])
def test_reader_names_the_damaged_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(f'{{"step": 1}}\n{line}\n')
    with pytest.raises(ValueError, match=r"metrics.jsonl, line 2: expected a JSON object with a"):
        read_records(path)


def test_full_disk_names_the_log(
    tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]
) -> None:
    log = RunLog(tmp_path, 0)
    with full_disk(32), pytest.raises(OSError, match=r"metrics.jsonl"):
        log.metrics([{"step": 1, "l1": 0.123456789, "text": 40 * "x"}])
    log.close()
