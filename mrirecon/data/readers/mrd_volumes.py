"""Volumes of Cartesian MRD files, once their lines are found: images, and k-space as measured."""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mrirecon.data.readers.kspace import kspace_volume, require_full_mask
from mrirecon.data.readers.measured import Kspace, Measured
from mrirecon.data.readers.mrd_heads import Heads
from mrirecon.data.readers.mrd_lines import Lines, transform_partitions, transform_readout
from mrirecon.data.readers.volume import OpenVolume

ReadNoise = Callable[[], Kspace | None]


def open_lines(lines: Lines, read_noise: ReadNoise) -> OpenVolume:
    """Describe images and k-space of a file while it is open.

    Raises:
        ValueError: lines would be placed wrongly.
    """
    lines.require_placeable()
    return _open_slab(lines, read_noise) if lines.is_3d else _open_slices(lines, read_noise)


def _open_slices(lines: Lines, read_noise: ReadNoise) -> OpenVolume:
    encoding = lines.encoding
    numbers, spacing = order_slices(lines.heads)
    voxel_size = (spacing or encoding.encoded_fov[2], *encoding.pixel_size[:2])

    def measure() -> Measured:
        blocks = [lines.place(number) for number in numbers]
        return Measured(
            np.concatenate([block.kspace for block in blocks]),
            encoding.image_shape,
            encoding.encoded[:2],
            was_measured=np.concatenate([block.was_measured for block in blocks]),
            voxel_size=voxel_size,
            noise=read_noise(),
            notes=lines.notes,
        )

    return kspace_volume(
        lines.path,
        (len(numbers), lines.n_coils),
        encoding.image_shape,
        lambda number: lines.place(numbers[number]).kspace[0],
        notes=lines.notes,
        voxel_size=voxel_size,
        measure=measure,
        read_noise=read_noise,
    )


def _open_slab(lines: Lines, read_noise: ReadNoise) -> OpenVolume:
    """Describe 3-D encoding: images are slices across the second phase encoding."""
    encoding = lines.encoding
    rows_mm, cols_mm, depth_mm = encoding.pixel_size
    first = encoding.encoded[2] // 2 - encoding.image_depth // 2

    @cache  # all partitions make each slice
    def slices() -> Kspace:
        block = lines.place()
        was_measured: NDArray[np.bool_] = np.any(block.was_measured, axis=1)  # (depth, cols)
        require_full_mask(lines.path, was_measured, "the phase encodings")
        return transform_partitions(block)

    def measure() -> Measured:
        block = lines.place()
        rows = encoding.image_shape[0]
        start = encoding.encoded[0] // 2 - rows // 2
        plane: NDArray[np.bool_] = np.any(block.was_measured, axis=1)  # (depth, cols)
        return Measured(
            transform_readout(block)[start : start + rows],
            (encoding.image_depth, encoding.image_shape[1]),
            (encoding.encoded[2], encoding.encoded[1]),
            was_measured=np.broadcast_to(plane, (rows, *plane.shape)),
            voxel_size=(rows_mm, depth_mm, cols_mm),
            noise=read_noise(),
            notes=lines.notes,
        )

    return kspace_volume(
        lines.path,
        (encoding.image_depth, lines.n_coils),
        encoding.image_shape,
        lambda number: slices()[first + number],
        notes=lines.notes,
        voxel_size=(depth_mm, rows_mm, cols_mm),
        measure=measure,
        read_noise=read_noise,
    )


def order_slices(heads: Heads) -> tuple[list[int], float | None]:
    """Order slices by their place along the normal, by number where the places do not differ.

    Returns:
        Numbers of the slices, and the distance between neighbours [mm], None for one slice.
    """
    numbers, first = np.unique(heads["head"]["idx"]["slice"], return_index=True)
    head = heads["head"][first]
    places = (head["position"] * head["slice_dir"]).sum(axis=1, dtype=np.float64)
    if len(np.unique(places)) < len(numbers) or not np.isfinite(places).all():
        return numbers.tolist(), None
    order = np.argsort(places)
    spacing = float(np.median(np.diff(places[order]))) if len(order) > 1 else None
    return numbers[order].tolist(), spacing
