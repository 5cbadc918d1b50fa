"""Subjects in plain arrays: NumPy .npy and .npz, BART .cfl.

Such a file does not tell what its numbers are, so the person says it, and nothing is guessed.
"""

import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers.bart_files import PHASE_2, map_cfl, read_sizes
from mrirecon.data.readers.kspace import kspace_volume
from mrirecon.data.readers.layout import list_entries, sort_files
from mrirecon.data.readers.measured import Kspace
from mrirecon.data.readers.subject import Image, Source, require_believable_size, storage_dtype
from mrirecon.data.readers.volume import CoilImages, FileSubject, OpenVolume

SUFFIXES = (".npy", ".npz", ".cfl")
Contents = Literal["image", "kspace"]
AXES = ("slices", "coils", "rows", "cols")
_BROKEN = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    SyntaxError,
    TypeError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class ArrayOptions:
    """What a person says about .npy, .npz and .cfl files."""

    contents: Contents | None = None
    """Whether the numbers are images or k-space."""
    axes: tuple[str, ...] | None = None
    """Names of the axes of .npy and .npz out of `AXES`; two axes are rows and cols."""
    key: str | None = None
    """Name of the array in an .npz that holds several."""

    def __post_init__(self) -> None:
        """Check what can be checked without files."""
        if self.contents is not None and self.contents not in get_args(Contents):
            raise ValueError(f"contents: expected image or kspace, got {self.contents!r}")
        axes = self.axes
        if axes is not None and (
            len(set(axes)) < len(axes) or not {"rows", "cols"} <= set(axes) <= set(AXES)
        ):
            raise ValueError(
                f"axes: expected rows and cols, and slices or coils if there are, "
                f"got {', '.join(axes)}"
            )


@dataclass(frozen=True)
class ArraySubject(FileSubject):
    """A subject in one array."""

    options: ArrayOptions

    @contextmanager
    def open(self) -> Iterator[OpenVolume]:
        """See `FileSubject.open`."""
        file = self.files[0]
        values = _load(file, self.options)
        n_slices, n_coils, rows, cols = values.shape
        require_believable_size(file, n_slices, n_coils, rows, cols)
        if self.options.contents == "kspace":
            yield _open_kspace(file, values)
            return
        dtype = _image_dtype(file, values)

        def read(number: int) -> Image:
            image = np.asarray(values[number])
            if n_coils == 1 and image.dtype.kind != "c":
                return image[0].astype(dtype)
            return np.sqrt(np.square(np.abs(image)).sum(axis=0)).astype(dtype)

        is_complex = values.dtype.kind == "c"
        origin = "magnitude of complex images" if is_complex else "magnitude images"
        if n_coils > 1:
            origin = f"root sum of squares of the images of {n_coils} coils"
        coil_images = CoilImages(
            lambda number: np.array(values[number], np.complex64, order="C"),
            f"complex images of {n_coils} coils",
            is_measured=False,
        )
        yield OpenVolume(
            n_slices,
            (rows, cols),
            dtype,
            read,
            origin,
            coil_images=coil_images if is_complex else None,
        )


def read_arrays(root: Path, files: Sequence[Path], options: ArrayOptions) -> Source:
    """Find the subjects among .npy, .npz and .cfl files: each file is one.

    Raises:
        ValueError: nobody said what the numbers are.
    """
    if options.contents is None:
        raise ValueError(
            f"{files[0]}: expected to be told what the numbers are: --contents image or kspace"
        )
    layout = sort_files(root, files, SUFFIXES)
    subjects = [
        ArraySubject(entry.name, entry.person, entry.split, (entry.file,), options)
        for entry in list_entries(root, layout, SUFFIXES)
    ]
    return Source((root,), "array", tuple(subjects), layout.masks, layout.ignored)


def _open_kspace(file: Path, values: NDArray[np.generic]) -> OpenVolume:
    n_slices, n_coils, rows, cols = values.shape
    if values.dtype.kind != "c":
        raise ValueError(f"{file}: expected complex k-space, got {values.dtype}")
    if file.suffix.lower() == ".cfl" and read_sizes(file)[PHASE_2] > 1:
        raise ValueError(f"{file}: expected k-space of slices (2-D), got 3-D k-space")

    def read_kspace(number: int) -> Kspace:
        return np.array(values[number], dtype=np.complex64, order="C")

    return kspace_volume(file, (n_slices, n_coils), (rows, cols), read_kspace)


def _image_dtype(file: Path, values: NDArray[np.generic]) -> np.dtype[np.generic]:
    if values.dtype.kind == "c" or values.shape[1] > 1:
        return np.dtype(np.float32)
    try:
        return storage_dtype(values.dtype)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _load(file: Path, options: ArrayOptions) -> NDArray[np.generic]:
    """Map an array, or read it from a .npz: (slices, coils, rows, cols)."""
    if file.suffix.lower() == ".cfl":
        return map_cfl(file)
    values = load_numbers(file, options.key)
    axes = options.axes or ("rows", "cols")
    if values.ndim != len(axes):
        raise ValueError(
            f"{file}: expected a name for each axis of {values.shape}: --axes with "
            f"slices, coils, rows and cols in their order, got {', '.join(axes)}"
        )
    present = [name for name in AXES if name in axes]
    ordered = values.transpose([axes.index(name) for name in present])
    missing = tuple(place for place, name in enumerate(AXES) if name not in axes)
    return np.expand_dims(ordered, missing)


def load_numbers(file: Path, key: str | None = None) -> NDArray[np.generic]:
    """Map a .npy, or read an array of a .npz.

    Raises:
        ValueError: damaged, no numbers, or no such array.
        OSError: the file cannot be read.
    """
    try:
        is_zip = file.suffix.lower() == ".npz"
        values = _load_npz(file, key) if is_zip else np.load(file, "r", allow_pickle=False)
    except FileNotFoundError:
        raise
    except _BROKEN as error:
        detail = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{file}: expected a whole NumPy file, got an error: {detail}") from error
    if values.dtype.kind not in "biufc":
        raise ValueError(f"{file}: expected an array of numbers, got {values.dtype.str}")
    return values


def _load_npz(file: Path, key: str | None) -> NDArray[np.generic]:
    """Read one array of a .npz, after its header agrees with the length that is stored."""
    with zipfile.ZipFile(file) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if key is None and len(members) > 1:
            raise ValueError(f"choose one array (--key): {', '.join(members)}")
        name = key if key is not None else next(iter(members), "")
        if name not in members:
            raise ValueError(f"no array {name!r}, but {', '.join(members) or 'nothing'}")
        with archive.open(members[name]) as member:
            version = np.lib.format.read_magic(member)
            shape, _, dtype = _HEADERS[version](member)
            n_bytes = dtype.itemsize * int(np.prod(shape, dtype=object))
            if member.tell() + n_bytes != members[name].file_size:
                raise ValueError(f"{name}: {shape} of {dtype} do not have the length of the file")
        with archive.open(members[name]) as member:
            values: NDArray[np.generic] = np.lib.format.read_array(member, allow_pickle=False)
    return values


_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
