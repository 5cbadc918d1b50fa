"""Subjects in one file that is opened once and read slice by slice."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers.measured import Kspace, Measured
from mrirecon.data.readers.plain_files import write_images
from mrirecon.data.readers.subject import (
    Image,
    OnError,
    SliceHeader,
    Subject,
    collect_slices,
    require_volume,
)


@dataclass(frozen=True)
class CoilImages:
    """Complex images of every coil, while their file is open.

    Attributes:
        read: gives those of a slice, complex64, (coils, rows, cols).
        origin: what they are; the store keeps it.
        is_measured: whether their Fourier transform is k-space that was measured.
    """

    read: Callable[[int], NDArray[np.complex64]]
    origin: str
    is_measured: bool


@dataclass(frozen=True)
class OpenVolume:
    """A volume while its file is open.

    Attributes:
        n_slices: number of slices.
        shape: (rows, cols) of the images.
        dtype: type in which the images come.
        read: gives the image of a slice, (rows, cols).
        origin: see `Subject.origin`.
        notes: gives `Subject.notes`, which may take reading a slice.
        voxel_size: see `Subject.voxel_size`.
        read_kspace: gives the k-space of a slice, (coils, rows, cols); None if the file has none,
            or none on a grid.
        measure: gives the k-space of all slices as it was measured; None if the file has none.
        coil_images: complex images of every coil; None if the file has magnitudes alone.
        read_noise: gives what the coils received without excitation, see `Measured.noise`.
    """

    n_slices: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    read: Callable[[int], Image]
    origin: str
    notes: Callable[[], tuple[str, ...]] = tuple
    voxel_size: tuple[float, float, float] | None = None
    read_kspace: Callable[[int], Kspace] | None = None
    measure: Callable[[], Measured] | None = None
    coil_images: CoilImages | None = None
    read_noise: Callable[[], Kspace | None] = lambda: None


@dataclass(frozen=True)
class FileSubject(Subject):
    """A subject in one file of several slices."""

    @abstractmethod
    def open(self) -> AbstractContextManager[OpenVolume]:
        """Open the file.

        Raises:
            ValueError: the file is broken or of a kind that cannot be used; the text names it.
        """

    @property
    def origin(self) -> str:
        """See `Subject.origin`."""
        with self.open() as volume:
            return volume.origin

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Subject.notes`."""
        with self.open() as volume:
            return volume.notes()

    @property
    def voxel_size(self) -> tuple[float, float, float] | None:
        """See `Subject.voxel_size`."""
        with self.open() as volume:
            return volume.voxel_size

    def headers(self) -> Sequence[SliceHeader]:
        """See `Subject.headers`."""
        with self.open() as volume:
            return [SliceHeader(self.files[0], volume.shape, volume.dtype)] * volume.n_slices

    def read_slices(self, on_error: OnError | None = None) -> list[tuple[int, Image]]:
        """See `Subject.read_slices`; memory holds the k-space of one slice at a time."""
        try:
            with self.open() as volume:
                files: list[Path] = [self.files[0]] * volume.n_slices
                return collect_slices(files, volume.read, on_error)
        except ValueError as error:
            if on_error is None:
                raise
            on_error(self.files[0], error)
            return []

    def write_like(self, volume: Image, out: Path) -> None:
        """See `Subject.write_like`; `out` is a file as `write_images` takes it."""
        require_volume(volume, len(self.headers()))
        write_images(out, volume, self.voxel_size)
