"""Traces that JPEG leaves in pixels, also after they were saved without loss.

JPEG rounds the cosine transform of blocks of 8 x 8 pixels (ITU-T T.81, A.3.3), so that the
coefficients of decoded pixels lie near multiples of a step: Fan and de Queiroz 2003
(DOI 10.1109/TIP.2002.807361).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers import Image

SIDE = 8
"""Pixels of a block."""
QUANTISED_PART = 0.15
"""Part of the 63 kinds of coefficients near multiples of a step. Over 83 of 86
patients of the LGG set and a T1 head less than that, of 6 of them 27 % or more after JPEG of any
quality from 50 to 98. The other 3 patients have a step of 2.25 among their highest frequencies."""
_NEAR = 0.5  # mean cosine of coefficients over a step: 1 on multiples, 0 for no order
_STEPS = np.arange(3, 40)  # smaller ones drown in the rounding of pixels
_LEAST_COEFFICIENTS = 60
_MOST_SLICES = 4


def has_jpeg_trace(images: Sequence[Image]) -> bool:
    """Tell whether images were JPEG once.

    It shows in whole numbers alone, and no longer once images were cropped by less than a block,
    resized, or changed in contrast by much.

    Args:
        images: of one size, (rows, cols) each; a few of them are looked at.
    """
    chosen = np.linspace(0, len(images) - 1, min(len(images), _MOST_SLICES)).astype(int)
    finite = [
        np.nan_to_num(images[number].astype(np.float64), posinf=0, neginf=0) for number in chosen
    ]
    if min(finite[0].shape) < 4 * SIDE or images[0].dtype.kind not in "iu":
        return False
    return _quantised_part(finite) > QUANTISED_PART


def _quantised_part(images: Sequence[NDArray[np.float64]]) -> float:
    """Count the kinds of coefficients that lie near multiples of a step, as a part of 63."""
    coefficients = np.abs(np.concatenate([_block_transform(image) for image in images]))
    return float(np.mean([_is_quantised(column) for column in coefficients.T[1:]]))


def _is_quantised(values: NDArray[np.float64]) -> bool:
    """Look for a step of which coefficients that are not 0 are multiples."""
    for step in _STEPS:
        beyond_zero = values[values > step / 2]
        if len(beyond_zero) < _LEAST_COEFFICIENTS:
            return False
        if np.cos(2 * np.pi / step * beyond_zero).mean() > _NEAR:
            return True
    return False


def _block_transform(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Transform blocks without clipped pixels: (blocks, 64), frequency 0 first."""
    rows, cols = (n // SIDE for n in image.shape)
    whole = image[: rows * SIDE, : cols * SIDE].reshape(rows, SIDE, cols, SIDE)
    blocks = whole.transpose(0, 2, 1, 3).reshape(-1, SIDE, SIDE)
    inside = blocks[blocks.max(axis=(1, 2)) < image.max()]
    return (_COSINES @ inside @ _COSINES.T).reshape(-1, SIDE * SIDE)


_FREQUENCIES = np.arange(SIDE)[:, None]
_COSINES = np.cos(np.pi / (2 * SIDE) * _FREQUENCIES * (2 * np.arange(SIDE) + 1)) * np.where(
    _FREQUENCIES == 0, np.sqrt(1 / SIDE), np.sqrt(2 / SIDE)
)
"""The orthonormal cosine transform of 8 samples, (frequency, sample)."""
