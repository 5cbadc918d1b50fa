"""What every table of an evaluation begins with, and how a table is written."""

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from mrirecon.evaluation.grid import strategy_of
from mrirecon.evaluation.run import Evaluation
from mrirecon.files import atomic_path
from mrirecon.sampling import SamplingConfig, TrajectoryConfig

CELL_COLUMNS = (
    "test_set",
    "protocol",
    "cell",
    "strategy",
    "asked_acceleration",
    "asked_readouts",
    "noise_std",
    "snr",
    "seed",
    "simulated",
)


def cell_values(evaluation: Evaluation) -> tuple[object, ...]:
    """Say what was measured, in the order of `CELL_COLUMNS`."""
    sampling, simulation = evaluation.sampling, evaluation.simulation
    return (
        evaluation.name,
        evaluation.protocol.name,
        evaluation.cell.title,
        strategy_of(sampling),
        sampling.acceleration if isinstance(sampling, SamplingConfig) else "",
        sampling.n_readouts if isinstance(sampling, TrajectoryConfig) else "",
        simulation.noise_std,
        "" if simulation.snr is None else simulation.snr,
        evaluation.seed,
        evaluation.is_simulated,
    )


def cell_of(value: float | str | None) -> object:
    """Write what is missing or no number as an empty cell."""
    is_nan = isinstance(value, float) and math.isnan(value)
    return "" if value is None or is_nan else value


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table, whole or not at all."""
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as opened,
    ):
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
