"""How images lie in their frame: subjects that are turned against the others, halved objects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.checks import LIKENESS_SIDE, digest
from mrirecon.data.readers import Image

LEAST_SUBJECTS = 4
"""Fewer do not tell how the others lie."""
TURNED_LIKENESS = 0.6
"""Correlation with the others, once turned, from which on a subject shows the same."""
MOST_OPPOSED = {"quarter": -0.3, "half": -0.6}
"""Agreement of a subject's asymmetry with that of the others, below which it is turned. Over the 86
people of the LGG set 0.02 or more for turns by a quarter, of which this finds 85 % or more; -0.54
or more for those by a half and upside down, of which this finds 28 %, since heads from above are
nearly symmetric. Of 300 sets of 4 to 11 of them, none turned, one had a subject called so."""
HALVED_OFFSET = 0.375
"""Distance of the object's middle from the frame's, in fields of view, from which on it is halved
at the edges; 0.5 where a shift of the transform is missing."""
HALVED_CONTRAST = 0.08
"""Of the first harmonic of the intensity around the frame; without it the object has no middle. In
the LGG set 0.1 or more, with the middle 0.1 fields of view from the frame's at most."""
_TURNS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "turned upside down": lambda plane: plane[::-1],
    "turned by 180 degrees": lambda plane: plane[::-1, ::-1],
    "turned by 90 degrees to the left": np.rot90,
    "turned by 90 degrees to the right": lambda plane: np.rot90(plane, -1),
    "with rows and columns exchanged": lambda plane: plane.T,
}
"""Left and right are not told apart: heads look alike in a mirror."""


@dataclass(frozen=True)
class Turned:
    """A subject that lies otherwise than the others of its set."""

    name: str
    how: str
    likeness: float
    """Correlation with the others once it is turned back."""
    likeness_before: float


def mean_digest(images: Sequence[Image]) -> NDArray[np.float32]:
    """Give the coarse pattern of the middle third of a subject's slices, see `digest`."""
    n = len(images)
    middle = images[n // 3 : max(n // 3 + 1, n - n // 3)]
    mean = np.mean([digest(image) for image in middle], axis=0)
    norm = float(np.linalg.norm(mean))
    return (mean / norm if norm > 0 else mean).astype(np.float32)


def find_turned(names: Sequence[str], digests: NDArray[np.float32]) -> list[Turned]:
    """Find subjects that look like the others only when they are turned.

    Args:
        names: of the subjects.
        digests: (subjects, LIKENESS_SIDE^2), see `mean_digest`.
    """
    if len(names) < LEAST_SUBJECTS:
        return []
    total = digests.sum(axis=0)
    found = []
    for name, own in zip(names, digests, strict=True):
        planes = [each.reshape(LIKENESS_SIDE, LIKENESS_SIDE) for each in (own, total - own)]
        before = _correlation(planes[0], planes[1])
        likeness = {
            how: _correlation(turn(planes[0]), planes[1])
            for how, turn in _TURNS.items()
            if _is_opposed(planes[0], planes[1], how)
        }
        best = max(likeness, key=likeness.__getitem__, default="")
        if likeness.get(best, 0.0) > max(TURNED_LIKENESS, before):
            found.append(Turned(name, best, likeness[best], before))
    return found


def _is_opposed(own: NDArray[np.float32], others: NDArray[np.float32], how: str) -> bool:
    """Tell whether what a turn changes of a subject is what it would change back of the others."""
    turn = _TURNS[how]
    agreement = _correlation(own - turn(own), others - turn(others))
    kind = "half" if how in ("turned upside down", "turned by 180 degrees") else "quarter"
    return agreement < MOST_OPPOSED[kind]


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    norm = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / norm if norm > 0 else 0.0


def find_halved_axes(images: Sequence[Image]) -> tuple[str, ...]:
    """Name the axes along which the object lies at the edges of the frame, rows or cols.

    Transforms give such images where a shift by n // 2 is missing, or was made twice.

    Args:
        images: of one size, (rows, cols) each.
    """
    halved = []
    total = np.sum([np.nan_to_num(np.abs(i.astype(np.float64)), posinf=0) for i in images], axis=0)
    for axis, name in enumerate(("rows", "cols")):
        profile = total.sum(axis=1 - axis)
        n = len(profile)
        turns = np.exp(2j * np.pi * (np.arange(n) - n // 2) / n)
        harmonic = (profile * turns).sum() / max(profile.sum(), 1e-30)
        offset = abs(np.angle(harmonic)) / (2 * np.pi)
        if abs(harmonic) > HALVED_CONTRAST and offset > HALVED_OFFSET:
            halved.append(name)
    return tuple(halved)
