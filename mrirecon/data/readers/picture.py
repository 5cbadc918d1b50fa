"""One slice in a TIFF, PNG or JPEG file, to and from an array."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from mrirecon.data.readers.subject import Image, SliceHeader, cast_within
from mrirecon.files import atomic_path

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
LOSSY_SUFFIXES = (".jpg", ".jpeg")
CHANNELS = {"red": 0, "green": 1, "blue": 2, "pre": 0, "flair": 1, "post": 2}
"""Colour channels by name; the Kaggle LGG set keeps pre-contrast, FLAIR and post-contrast there."""
LUMINANCE = "luminance"
LUMINANCE_WEIGHTS = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
CHOICES = "pre, flair, post, red, green, blue, luminance, 0, 1 or 2"
_JPEG_QUALITY = 95  # Pillow's documented upper bound of useful quality
_GREY_TYPES = {
    "L": np.uint8,
    "I;16": np.uint16,
    "I;16B": np.uint16,
    "I;16L": np.uint16,
    "I;16N": np.uint16,
    "I": np.int32,
    "F": np.float32,
}
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    KeyError,
    TypeError,
    struct.error,
    Warning,
    Pillow.DecompressionBombError,
)


class ChannelError(ValueError):
    """A picture has several channels and none, or one it has not, was chosen."""


def parse_channel(channel: str | int | None) -> int | str | None:
    """Turn a channel's name or number into its index or "luminance".

    Raises:
        ValueError: no such channel.
    """
    if channel is None or channel == LUMINANCE:
        return channel
    index = CHANNELS.get(str(channel).lower(), channel)
    if str(index) not in ("0", "1", "2"):
        raise ValueError(f"channel: expected one of {CHOICES}, got {channel!r}")
    return int(index)


@contextmanager
def broken_files_raise() -> Iterator[None]:
    """Turn Pillow's warnings of broken files into errors.

    For the main thread, around work in threads: warning filters belong to the whole process.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=UserWarning, module=r"PIL\b")
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        yield


def read_picture_header(path: Path) -> SliceHeader:
    """Read the size and type of a picture.

    Raises:
        ValueError: the file is broken or of a kind that cannot be used.
    """
    with _open(path) as picture, _naming(path):
        cols, rows = picture.size
        return SliceHeader(path, (rows, cols), _dtype(picture))


def read_picture(path: Path, channel: str | int | None = None) -> Image:
    """Read one grey slice.

    Args:
        path: TIFF, PNG or JPEG file of 8 or 16 bits; floating-point TIFF too.
        channel: of a colour picture, a name or number out of `CHOICES`; not needed where the
            three channels are equal.

    Returns:
        (rows, cols) in the file's type.

    Raises:
        ChannelError: the picture is coloured and no channel is given, or the other way round.
        ValueError: the file is broken or of a kind that cannot be used.
    """
    wanted = parse_channel(channel)
    with _open(path) as picture, _naming(path):
        _dtype(picture)
        picture.load()
        pixels = np.asarray(picture.convert("RGB") if picture.mode == "P" else picture)
    if pixels.ndim == 3:
        return _choose(path, pixels, wanted)
    if wanted not in (None, 0, LUMINANCE):
        raise ChannelError(f"{path}: expected no channel for a grey picture, got {channel!r}")
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def write_picture(path: Path, image: Image, like: Path) -> None:
    """Write a slice as a grey picture with the type and range of another.

    Args:
        path: TIFF, PNG or JPEG file, by its suffix.
        image: (rows, cols).
        like: picture whose pixel type is kept.

    Raises:
        ValueError: `path` has no picture's suffix.
        OSError: the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: expected a name ending in {', '.join(SUFFIXES)}")
    dtype = read_picture_header(like).dtype
    with atomic_path(path) as temporary:
        picture = Pillow.fromarray(cast_within(image, dtype))
        picture.save(temporary, quality=_JPEG_QUALITY)  # TIFF and PNG are lossless and ignore it


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn what Pillow raises for a broken file into one line that names the file."""
    try:
        yield
    except _BROKEN as error:
        if str(error).startswith(str(path)):
            raise
        raise _broken(path, error) from error


def _open(path: Path) -> Pillow.Image:
    try:
        return Pillow.open(path)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise ValueError(f"{path}: cannot be opened: {error.strerror}") from error
    except _BROKEN as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception | Warning) -> ValueError:
    kind = path.suffix.lstrip(".").upper()
    detail = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        detail = "no picture that can be recognised"
    return ValueError(f"{path}: expected a whole {kind} picture, got an error: {detail}")


def _dtype(picture: Pillow.Image) -> np.dtype[np.generic]:
    """Give the type of a picture's pixels, or tell why it cannot be used."""
    path = getattr(picture, "filename", "picture")
    mode = picture.mode
    if mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        raise ValueError(f"{path}: expected no alpha channel, got mode {mode}; save it as grey")
    if getattr(picture, "n_frames", 1) > 1:
        raise ValueError(f"{path}: expected one page, got {picture.n_frames}")  # type: ignore[attr-defined]
    if mode in _GREY_TYPES:
        return np.dtype(_GREY_TYPES[mode])
    if mode == "RGB" and ";16" in str(getattr(picture, "tile", "")):
        # Pillow would drop the lower byte of each channel.
        raise ValueError(f"{path}: expected 8 bits for each colour, got 16; save it as grey")
    if mode in ("RGB", "P"):
        return np.dtype(np.uint8)
    raise ValueError(f"{path}: expected a grey or RGB picture, got mode {mode}")


def _choose(path: Path, pixels: Image, wanted: int | str | None) -> Image:
    """Take one channel of (rows, cols, 3)."""
    if isinstance(wanted, int):
        return np.ascontiguousarray(pixels[..., wanted])
    if wanted == LUMINANCE:
        return cast_within(pixels @ LUMINANCE_WEIGHTS, pixels.dtype)
    if (pixels[..., :1] == pixels[..., 1:]).all():
        return np.ascontiguousarray(pixels[..., 0])
    raise ChannelError(f"{path}: expected a channel for a colour picture: {CHOICES}")
