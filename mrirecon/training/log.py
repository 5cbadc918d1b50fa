"""The log of a run: one JSON object a line, and a table made from it.

`metrics.jsonl` holds only what the seed decides, so that two equal runs have equal files; how fast
a run was stands in `speed.jsonl`.
"""

import csv
import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from mrirecon.files import atomic_path
from mrirecon.training.board import Board

METRICS = "metrics.jsonl"
TABLE = "metrics.csv"
SPEED = "speed.jsonl"

Record = dict[str, Any]


class RunLog:
    """Append to the logs of a run folder.

    Args:
        run: the run folder.
        step: steps done; lines of later steps are dropped, since they will be written again.
        board: that is told the same; None for none.

    Raises:
        OSError: the folder cannot be written to.
        ValueError: a line of an existing log is no JSON object with a step.
    """

    def __init__(self, run: Path, step: int, board: Board | None = None) -> None:
        self.run = run
        self.board = board
        self._files: dict[str, BinaryIO] = {}
        run.mkdir(parents=True, exist_ok=True)
        for name in (METRICS, SPEED):
            if (run / name).exists():
                _keep_until(run / name, step)
            self._files[name] = (run / name).open("ab", buffering=0)

    def metrics(self, records: Iterable[Record]) -> None:
        """Append records of metrics.

        Raises:
            ValueError: a value is NaN or infinite; the records before it are written.
            OSError: the disk is full.
        """
        for record in records:
            for name, value in record.items():
                if isinstance(value, float) and not math.isfinite(value):
                    raise ValueError(
                        f"{name}: expected a finite number at step {record['step']}, got {value}"
                    )
            self._append(METRICS, record)
            if self.board:
                self.board.scalars("training", record)

    def speed(self, record: Record) -> None:
        """Append a record of speed."""
        self._append(SPEED, record)
        if self.board:
            self.board.scalars("speed", record)

    def sync(self) -> None:
        """Make sure that all lines are on the disk, and renew the table.

        Raises:
            OSError: the disk is full.
        """
        for name, file in self._files.items():
            with self._naming(name):
                os.fsync(file.fileno())
        write_table(self.run)
        if self.board:
            self.board.sync()

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        if self.board:
            self.board.close()

    def _append(self, name: str, record: Record) -> None:
        line = memoryview(json.dumps(record, allow_nan=False).encode() + b"\n")
        with self._naming(name):
            while line:  # a disk takes what it has room for, and refuses the rest the next time
                line = line[self._files[name].write(line) :]

    @contextmanager
    def _naming(self, name: str) -> Iterator[None]:
        """Name the file in an error of the system."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.run / name)) from error


def read_records(path: Path) -> list[Record]:
    """Read a log, leaving out a last line that a killed run did not finish.

    Args:
        path: of a JSON lines file.

    Raises:
        ValueError: a finished line is no JSON object with a step; names file and line.
    """
    records = []
    *lines, _unfinished = path.read_text().split("\n")
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            int(record["step"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}, line {number}: expected a JSON object with a step, got {line[:40]!r}"
            ) from error
        records.append(record)
    return records


def write_table(run: Path) -> None:
    """Write metrics.csv from metrics.jsonl: a row a step, columns in order of appearance.

    Validation results stand in the row of their step, in columns `validation.NAME`.
    """
    rows: dict[int, Record] = {}
    for record in read_records(run / METRICS):
        rows.setdefault(record["step"], {}).update(record)
    columns = dict.fromkeys(name for row in rows.values() for name in row)
    with atomic_path(run / TABLE) as partial, partial.open("w", newline="") as file:
        table = csv.DictWriter(file, list(columns))
        table.writeheader()
        table.writerows(rows.values())


def _keep_until(path: Path, step: int) -> None:
    kept = [record for record in read_records(path) if record["step"] <= step]
    with atomic_path(path) as partial:
        partial.write_text("".join(json.dumps(record) + "\n" for record in kept))
