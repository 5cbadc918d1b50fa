"""Images of fully sampled k-space: inverse transform, crop, root of the sum of squares over coils.

Combination of coils: Roemer et al. 1990, DOI 10.1002/mrm.1910160203, with uniform noise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mrirecon.data.pixels import fit_centre
from mrirecon.data.readers.measured import Kspace, Measured
from mrirecon.data.readers.subject import Image
from mrirecon.data.readers.volume import CoilImages, OpenVolume
from mrirecon.fourier import ifft_centred

MOST_CHANCE_ZEROS = 0.1
"""Raw samples are counts of a converter, so that some are 0 by chance: up to this part of them, and
no whole line, full k-space is still taken for full."""
LEAST_MEASURED = 0.5
"""Part of the lines inside of empty edges that makes k-space a source of images: partial Fourier
measures 5/8 or more."""


@dataclass(frozen=True)
class Edges:
    """Lines at the edges of k-space that hold zeros alone."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def note(self) -> str | None:
        """Tell of empty edges, None if there are none."""
        if not any((self.top, self.bottom, self.left, self.right)):
            return None
        return (
            f"k-space is 0 at its edges: {self.top} + {self.bottom} rows, {self.left} + "
            f"{self.right} cols; images are smoother than their size says (zero-padded, or "
            "partial Fourier)"
        )


def kspace_volume(
    file: Path,
    counts: tuple[int, int],
    shape: tuple[int, int],
    read_kspace: Callable[[int], Kspace],
    *,
    notes: tuple[str, ...] = (),
    voxel_size: tuple[float, float, float] | None = None,
    measure: Callable[[], Measured] | None = None,
    read_noise: Callable[[], Kspace | None] = lambda: None,
) -> OpenVolume:
    """Describe images that are computed from fully sampled k-space when they are asked for.

    Args:
        file: named in errors.
        counts: of (slices, coils).
        shape: (rows, cols) to crop images to.
        read_kspace: gives the k-space of a slice, (coils, rows, cols).
        notes: what else one should know.
        voxel_size: between (slices, rows, cols) [mm].
        measure: see `OpenVolume`; without it all slices are read.
        read_noise: see `OpenVolume`.
    """
    n_slices, n_coils = counts

    def find_notes() -> tuple[str, ...]:
        edges = find_edges(np.any(read_kspace(n_slices // 2) != 0, axis=0))
        return notes if edges.note is None else (*notes, edges.note)

    def measure_all() -> Measured:
        kspace = np.stack([read_kspace(number) for number in range(n_slices)])
        grid_shape = kspace.shape[-2:]
        return Measured(kspace, shape, grid_shape, voxel_size=voxel_size, notes=notes)

    def read(number: int) -> Image:
        kspace = read_kspace(number)
        require_fully_sampled(file, kspace, number)
        return coil_image(kspace, shape)

    def read_coils(number: int) -> NDArray[np.complex64]:
        kspace = read_kspace(number)
        require_fully_sampled(file, kspace, number)
        return images_of_coils(kspace, shape[0])

    return OpenVolume(
        n_slices,
        shape,
        np.dtype(np.float32),
        read,
        f"root sum of squares of measured k-space of {n_coils} coils",
        notes=find_notes,
        voxel_size=voxel_size,
        read_kspace=read_kspace,
        measure=measure or measure_all,
        coil_images=CoilImages(
            read_coils, f"images of measured k-space of {n_coils} coils", is_measured=True
        ),
        read_noise=read_noise,
    )


def coil_image(kspace: Kspace, shape: tuple[int, int]) -> Image:
    """Combine the coils' images.

    Args:
        kspace: (coils, rows, cols), centre at n // 2.
        shape: (rows, cols) to crop the image to about its centre.

    Returns:
        float32, `shape`, in units of the k-space; the transform is orthonormal.
    """
    images = ifft_centred(torch.from_numpy(kspace)).numpy()
    return np.sqrt(np.square(np.abs(fit_centre(images, shape))).sum(axis=0)).astype(np.float32)


def images_of_coils(kspace: Kspace, n_rows: int) -> NDArray[np.complex64]:
    """Transform k-space to the image of each coil, without readout oversampling.

    Columns are phase encoded and all stay: a crop along them would turn the measured lines into
    mixtures of lines, so that a mask over them stood for no measurement.

    Args:
        kspace: (coils, rows, cols), centre at n // 2; rows are the readout.
        n_rows: to crop the images to about their centre.

    Returns:
        complex64, (coils, n_rows, cols), in units of the k-space; the transform is orthonormal.
    """
    images = ifft_centred(torch.from_numpy(kspace)).numpy()
    return np.ascontiguousarray(fit_centre(images, (n_rows, kspace.shape[-1])))


def find_edges(measured: NDArray[np.bool_]) -> Edges:
    """Count the empty lines at the edges of (rows, cols), True where a sample is not 0."""
    if not np.any(measured):
        return Edges(0, 0, 0, 0)
    rows, cols = (np.flatnonzero(np.any(measured, axis=axis)) for axis in (1, 0))
    n_rows, n_cols = measured.shape
    return Edges(int(rows[0]), n_rows - 1 - int(rows[-1]), int(cols[0]), n_cols - 1 - int(cols[-1]))


def is_full(measured: NDArray[np.bool_]) -> bool:
    """Tell whether (rows, cols) are all measured but for zeros by chance."""
    no_line_missing = bool(np.all(measured.any(axis=0)) and np.all(measured.any(axis=1)))
    return no_line_missing and 1 - float(measured.mean()) <= MOST_CHANCE_ZEROS


def require_fully_sampled(file: Path, kspace: Kspace, number: int) -> None:
    """Refuse k-space whose image is no target to learn from; empty edges are allowed.

    Args:
        file: named in the error.
        kspace: (coils, rows, cols).
        number: of the slice, named in the error.

    Raises:
        ValueError: NaN or Inf, zeros alone, or samples missing between measured ones.
    """
    if not np.isfinite(kspace.view(np.float32)).all():
        raise ValueError(f"{file}: expected finite k-space, got NaN or Inf in slice {number}")
    measured: NDArray[np.bool_] = np.any(kspace != 0, axis=0)
    if not measured.any():
        raise ValueError(f"{file}: expected measured samples, got zeros alone in slice {number}")
    require_full_mask(file, measured, f"slice {number}")


def require_full_mask(file: Path, measured: NDArray[np.bool_], where: str) -> None:
    """Refuse a plane of k-space with samples missing between measured ones.

    Args:
        file: named in the error.
        measured: (rows, cols), some True.
        where: what the plane is, for the error.

    Raises:
        ValueError: it is not full, see `require_fully_sampled`.
    """
    edges = find_edges(measured)
    rows, cols = measured.shape
    inside = measured[edges.top : rows - edges.bottom, edges.left : cols - edges.right]
    least = LEAST_MEASURED
    if not is_full(inside) or inside.shape[0] < least * rows or inside.shape[1] < least * cols:
        raise ValueError(
            f"{file}: expected fully sampled k-space to make images of, got {measured.mean():.0%} "
            f"of {where}; 'mrirecon reconstruct' takes undersampled k-space"
        )
