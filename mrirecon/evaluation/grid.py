"""What an evaluation varies: sampling strategies, accelerations, noise; read from a YAML file.

A list stands for each of its values, several lists for all their combinations:

    sampling:
      - {strategy: equispaced, acceleration: [4, 8]}
      - {kind: radial, n_readouts: [60, 30]}
    simulation: {noise_std: [0, 0.02]}
    methods: [tv, wavelet]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import TypeAdapter, ValidationError

from mrirecon.data import SimulationConfig
from mrirecon.sampling import AcquisitionConfig, TrajectoryConfig, Undersampling, sampling_title


@dataclass(frozen=True)
class Cell:
    """One of the measurements that every method is scored on.

    Attributes:
        sampling: how k-space is undersampled.
        simulation: noise, phase and coils that are added.
        seed: of masks and noise.
        number: 1 or more, of cells of one grid that are alike in the words of `title`.
    """

    sampling: Undersampling
    simulation: SimulationConfig
    seed: int
    number: int = 1

    @property
    def noise(self) -> str:
        """Say in a few words what noise was added; empty for none."""
        return _noise(self.simulation)

    @property
    def title(self) -> str:
        """Name the cell in a few words."""
        parts = (sampling_title(self.sampling), _noise(self.simulation))
        words = ", ".join(part for part in parts if part)
        return words if self.number == 1 else f"{words} ({self.number})"


@dataclass(frozen=True)
class Grid:
    """What an evaluation varies, beside its methods.

    Attributes:
        sampling: the strategies, each at each of its accelerations.
        simulation: noise, phase and coils, each with each sampling.
        methods: classical ones, by their names in `mrirecon.classical`.
        acquisition: what a scan repeats, for its time.
        seed: of masks and noise.
    """

    sampling: tuple[Undersampling, ...]
    simulation: tuple[SimulationConfig, ...] = (SimulationConfig(),)
    methods: tuple[str, ...] = ()
    acquisition: AcquisitionConfig = field(default_factory=AcquisitionConfig)
    seed: int = 0

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    @property
    def cells(self) -> list[Cell]:
        """All combinations, sampling by sampling."""
        cells: list[Cell] = []
        for sampling, simulation in product(self.sampling, self.simulation):
            cell = Cell(sampling, simulation, self.seed)
            alike = sum(replace(other, number=1).title == cell.title for other in cells)
            cells.append(replace(cell, number=alike + 1))
        return cells


def read_grid(path: Path) -> Grid:
    """Read a grid from a YAML file.

    Raises:
        ValueError: no YAML mapping, or a key is unknown or has a wrong value; names file and key.
        OSError: the file cannot be read.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected YAML, got {' '.join(str(error).split())}") from None
    if not isinstance(values, dict) or not isinstance(values.get("sampling"), list):
        raise ValueError(f"{path}: expected a list under the key sampling, got {values!r}")
    expanded = values | {"sampling": _expand_all(path, "sampling", values["sampling"])}
    if "simulation" in values:
        expanded["simulation"] = _expand_all(path, "simulation", [values["simulation"]])
    try:
        return TypeAdapter(Grid).validate_python(expanded)
    except ValidationError as error:
        raise ValueError(f"{path}: {_describe(dict(error.errors()[0]))}") from None


def strategy_of(sampling: Undersampling) -> str:
    """Give the strategy's name, for a table."""
    return sampling.kind if isinstance(sampling, TrajectoryConfig) else sampling.strategy


def _noise(simulation: SimulationConfig) -> str:
    if simulation.snr is not None:
        return f"SNR {simulation.snr:g}"
    return f"noise {simulation.noise_std:g}" if simulation.noise_std else ""


def _expand_all(path: Path, key: str, entries: Sequence[object]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for place, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise ValueError(f"{path}: {key}.{place}: expected keys and values, got {entry!r}")
        options = [value if isinstance(value, list) else [value] for value in entry.values()]
        found += [dict(zip(entry, values, strict=True)) for values in product(*options)]
    return found


def _describe(problem: dict[str, Any]) -> str:
    """Say which key is wrong; of the two kinds of sampling pydantic names both."""
    kinds = ("SamplingConfig", "TrajectoryConfig")
    key = ".".join(str(part) for part in problem["loc"] if part not in kinds)
    if problem["type"] == "unexpected_keyword_argument":
        return f"{key}: unknown key"
    if problem["type"] == "value_error":
        return f"{key}: {problem['ctx']['error']}"
    return f"{key}: {problem['msg']}, got {problem['input']!r}"
