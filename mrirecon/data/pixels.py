"""What is done to the pixels of a slice before they are kept."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]

BLANK_LEVEL = 0.1
BLANK_AREA = 0.01
"""A slice is blank if less than this part of its pixels reaches BLANK_LEVEL of the volume's
maximum. That drops 35 of the 192 coronal slices of the studyforrest head (air before and behind
it), and none of the 56 slices of the LGG sample, which all show brain."""


def fit_centre(image: Image, size: tuple[int, int]) -> Image:
    """Crop and pad with 0 so that pixel n // 2 of each axis stays at the centre n // 2.

    Args:
        image: (..., rows, cols).
        size: (rows, cols) wanted.

    Returns:
        (..., *size), in the type of `image`.
    """
    for axis, wanted in ((-2, size[0]), (-1, size[1])):
        present = image.shape[axis]
        crop = max(present // 2 - wanted // 2, 0)
        image = np.moveaxis(np.moveaxis(image, axis, 0)[crop : crop + wanted], 0, axis)
        before = max(wanted // 2 - present // 2, 0)
        padding = [(0, 0)] * image.ndim
        padding[axis] = (before, wanted - before - image.shape[axis])
        image = np.pad(image, padding)
    return image


def is_blank(image: Image, scale: float) -> bool:
    """Tell whether a slice of a volume with maximum `scale` shows nothing, see `BLANK_AREA`."""
    return float((image >= BLANK_LEVEL * scale).mean()) < BLANK_AREA


def magnitude(image: Image) -> Image:
    """Give a slice's magnitude: of complex images the root of the sum of squares over coils.

    Args:
        image: magnitudes (rows, cols), or complex (coils, rows, cols).

    Returns:
        (rows, cols).
    """
    if image.dtype.kind != "c":
        return image
    squares = np.square(image.real) + np.square(image.imag)  # (coils, rows, cols)
    return np.sqrt(squares.sum(axis=0))
