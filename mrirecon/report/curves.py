"""Read a training's log (metrics.jsonl) into one curve for each quantity."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

_STEP = "step"
_NO_CURVE = frozenset({_STEP, "epoch", "time", "seconds", "wall_time"})


@dataclass
class Curve:
    """A quantity's values over training steps."""

    steps: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


def read_curves(path: Path) -> dict[str, Curve]:
    """Read every number that the training logged with its step.

    Args:
        path: metrics.jsonl, one JSON object with the key "step" a line.

    Returns:
        Curves by name, in the order in which the names first appear; values that are not finite
        are left out.

    Raises:
        ValueError: a line is no JSON object with a step; the message names file and line.
    """
    curves: dict[str, Curve] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            for name, value in _numbers(path, number, line).items():
                curve = curves.setdefault(name, Curve())
                curve.steps.append(value[0])
                curve.values.append(value[1])
    return curves


def _numbers(path: Path, number: int, line: str) -> dict[str, tuple[float, float]]:
    try:
        entry = json.loads(line)
        step = float(entry[_STEP])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}, line {number}: expected a JSON object with a step, got {line.strip()[:60]!r}"
        ) from error
    return {
        name: (step, float(value))
        for name, value in entry.items()
        if name not in _NO_CURVE
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    }
