"""Recognise and open DICOM files; what is broken is told in one line that names the file."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.errors import BytesLengthException, InvalidDicomError

SUFFIXES = (".dcm", ".dicom", ".ima")
_PREAMBLE, _MAGIC = 128, b"DICM"
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    InvalidDicomError,
    BytesLengthException,
)


def is_dicom(path: Path) -> bool:
    """Tell by its mark behind the preamble whether a file is DICOM."""
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE + len(_MAGIC))[_PREAMBLE:] == _MAGIC
    except OSError:
        return False


def read_dataset(path: Path, *, with_pixels: bool = True) -> pydicom.Dataset:
    """Read a file.

    Raises:
        ValueError: it is broken.
    """
    with naming(path):
        return pydicom.dcmread(path, stop_before_pixels=not with_pixels)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn what pydicom raises for a broken file into one line that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that break a rule of the standard
            yield
    except _BROKEN as error:
        if str(error).startswith(str(path)):
            raise
        detail = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: expected a whole DICOM file, got an error: {detail}") from error
