"""Images as PNG data URIs: grey images, error maps, masks and point spread functions."""

import base64
import io
import math
from collections.abc import Iterable

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from mrirecon.evaluation import Example
from mrirecon.sampling.picture import FLOOR as SPREAD_FLOOR

ERROR_COLOURS = "inferno"
_COLOUR_STOPS = 65
_CLIPPED_ABOVE = 0.995  # quantile; a few extreme pixels would darken all other errors
_ZOOM_PART = 4  # the zoomed square's side is this part of the image's shorter side
_SMALLEST_ZOOM = 16  # pixels


def grey_uri(image: Tensor, *, upper: float) -> str:
    """Draw an image from 0 (black) to `upper` (white).

    Args:
        image: float, (rows, cols).
        upper: value that is white, > 0; larger values are white too.

    Returns:
        A PNG as a data URI.
    """
    return _png_uri(Image.fromarray(_to_bytes(image.numpy() / upper)))


def error_uri(image: Tensor, target: Tensor, *, upper: float) -> str:
    """Draw the absolute difference of two images in grey; the page gives it the error colours.

    Args:
        image: float, (rows, cols).
        target: same shape.
        upper: error of the brightest level, > 0; larger errors have it too.

    Returns:
        A PNG as a data URI.
    """
    return _png_uri(Image.fromarray(_to_bytes(np.abs(image.numpy() - target.numpy()) / upper)))


def error_bar_uri() -> str:
    """Draw all levels of an error from left (none) to right (the scale's upper end)."""
    return _png_uri(Image.fromarray(np.arange(256, dtype=np.uint8)[None]))


def error_colour_tables() -> tuple[str, str, str]:
    """Give red, green and blue of the error colours at even distances, for an SVG filter.

    Errors are kept as grey levels, so that a page can show them on another scale.
    """
    levels = np.linspace(0, 1, _COLOUR_STOPS)
    colours = matplotlib.colormaps[ERROR_COLOURS](levels)[:, :3]
    red, green, blue = (" ".join(f"{part:.4g}" for part in column) for column in colours.T)
    return red, green, blue


def mask_uri(mask: Tensor) -> str:
    """Draw a mask (rows, cols), measured white, with k-space's centre in the middle."""
    return _png_uri(Image.fromarray(mask.numpy().astype(np.uint8) * 255).convert("1"))


def spread_picture_uri(decibels: NDArray[np.float64]) -> str:
    """Draw a `point_spread` in grey, black at its floor, white at 0 dB."""
    return _png_uri(Image.fromarray(_to_bytes(1 - decibels / SPREAD_FLOOR)))


def grey_limit(examples: Iterable[Example]) -> float:
    """Choose one white for all images of a test set: the brightest target, rounded up."""
    return _round_up(max(float(example.target.max()) for example in examples))


def error_limit(examples: Iterable[Example]) -> float:
    """Choose one upper end for all error maps: the largest 99.5 % quantile, rounded up.

    Args:
        examples: all that are shown on one scale; at least one.

    Returns:
        Error of the brightest colour, > 0, two digits.
    """
    largest = max(
        float(np.quantile(np.abs(image.numpy() - example.target.numpy()), _CLIPPED_ABOVE))
        for example in examples
        for image in example.images.values()
    )
    return _round_up(largest)


def largest_error_square(example: Example) -> tuple[int, int, int]:
    """Find where the last method is most wrong, for a closer look.

    Returns:
        First row, first column and side, [pixels], of the square with the largest squared error.
    """
    image = list(example.images.values())[-1]
    error = np.square(image.numpy() - example.target.numpy(), dtype=np.float64)
    rows, cols = error.shape
    side = min(max(min(rows, cols) // _ZOOM_PART, _SMALLEST_ZOOM), rows, cols)
    sums = np.pad(error, ((1, 0), (1, 0))).cumsum(0).cumsum(1)  # of all pixels above and left
    squares = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    row, col = np.unravel_index(squares.argmax(), squares.shape)
    return int(row), int(col), side


def _round_up(value: float) -> float:
    """Round up to two digits, so that a scale's end can be read; 1 stands for no value."""
    if value <= 0:
        return 1.0
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / step) * step:.2g}")


def _to_bytes(unit: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)


def _png_uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
