"""What may vary from trial to trial: a YAML file of configuration keys and their ranges."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_RANGE_KEYS = {"low", "high", "log"}


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones if both ends are.

    Attributes:
        low: the smallest.
        high: the largest.
        log: drawn evenly in the logarithm, as befits learning rates.
    """

    low: float
    high: float
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True)
class Choice:
    """One of a few values: numbers, texts, true or false."""

    values: tuple[Any, ...]


Space = dict[str, Range | Choice]
"""By the configuration's key, as `--set` of `mrirecon train` takes it."""


def read_space(path: Path) -> Space:
    """Read a search space.

    Each key of the file is one of the run's configuration; its value is a list to choose from, or
    a range: `training.learning_rate: {low: 1.0e-5, high: 1.0e-2, log: true}`.

    Raises:
        ValueError: the file is no such mapping; the message names file and key.
        OSError: the file cannot be read.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected YAML, got {' '.join(str(error).split())}") from None
    if not isinstance(values, dict) or not values:
        raise ValueError(f"{path}: expected keys with ranges or lists, got {type(values).__name__}")
    return {str(key): _read_entry(f"{path}: {key}", entry) for key, entry in values.items()}


def _read_entry(name: str, entry: object) -> Range | Choice:
    if isinstance(entry, list) and len(entry) > 1:
        return Choice(tuple(entry))
    if not isinstance(entry, dict) or not {"low", "high"} <= entry.keys() <= _RANGE_KEYS:
        wanted = "a list of two values or more, or low, high and perhaps log"
        raise ValueError(f"{name}: expected {wanted}, got {entry}")
    low, high, log = entry["low"], entry["high"], entry.get("log", False)
    are_numbers = all(
        isinstance(end, int | float) and not isinstance(end, bool) and math.isfinite(end)
        for end in (low, high)
    )
    if not are_numbers or low >= high:
        raise ValueError(f"{name}: expected numbers with low below high, got {low} and {high}")
    if not isinstance(log, bool) or (log and low <= 0):
        raise ValueError(f"{name}: expected log true only where low is above 0, got {entry}")
    return Range(low, high, log)
