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
TURNED_GAIN = 0.15
"""What turning has to add to that correlation. Over the 86 people of the LGG set 0.02 at most."""
HALVED_OFFSET = 0.375
"""Distance of the object's middle from the frame's, in fields of view, from which on it is halved
at the edges; 0.5 where a shift of the transform is missing."""
HALVED_CONTRAST = 0.15
"""Of the first harmonic of the intensity around the frame; without it the object has no middle."""
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
    """With the others once it is turned back, and before."""
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
        others = total - own
        norm = float(np.linalg.norm(others))
        if norm == 0:
            continue
        plane = own.reshape(LIKENESS_SIDE, LIKENESS_SIDE)
        likeness = {how: float(turn(plane).ravel() @ others) / norm for how, turn in _TURNS.items()}
        before = float(own @ others) / norm
        best = max(likeness, key=likeness.__getitem__)
        if likeness[best] > max(TURNED_LIKENESS, before + TURNED_GAIN):
            found.append(Turned(name, best, likeness[best], before))
    return found


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
