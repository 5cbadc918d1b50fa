"""Small sources of images for tests: pictures and NIfTI files on disk."""

import struct
import zlib
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHAPE = (8, 10)


def random_pixels(seed: int, shape: tuple[int, ...] = SHAPE, dtype: str = "uint8") -> NDArray:
    """Draw pixels over the whole range of an integer type."""
    limit = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, limit, shape, endpoint=True).astype(dtype)


def save_picture(path: Path, pixels: NDArray) -> Path:
    """Write pixels as the kind of picture that the suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def save_rgb16_png(path: Path, pixels: NDArray) -> Path:
    """Write (rows, cols, 3) as a PNG of 16 bits a channel, which Pillow cannot write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    rows, cols, _ = pixels.shape
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", cols, rows, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*parts) for parts in chunks))
    return path


def save_subjects(
    root: Path, n_subjects: int = 3, n_slices: int = 4, *, suffix: str = ".png"
) -> Path:
    """Write a folder for each subject; slice i of subject j is `random_pixels(100 * j + i)`."""
    for subject in range(1, n_subjects + 1):
        for number in range(1, n_slices + 1):
            file = root / f"P{subject}" / f"P{subject}_{number}{suffix}"
            save_picture(file, random_pixels(100 * subject + number))
    return root


def save_nifti(path: Path, volume: NDArray, affine: NDArray | None = None) -> Path:
    """Write a volume; without an affine its axes point right, front and up, 1 mm a voxel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4) if affine is None else affine), path)
    return path


def cut_short(path: Path, kept: float = 0.6) -> Path:
    """Drop the end of a file, as a broken download does."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    return path
