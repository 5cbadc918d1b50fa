"""A slice store of noise in a temporary folder, which goes when the store does."""

import shutil
import tempfile
import weakref
from pathlib import Path

import numpy as np

from mrirecon.data import SliceStore
from mrirecon.data.store_writer import SliceWriter


def noise_store(n_volumes: int, per_volume: int, size: int) -> SliceStore:
    """Write float32 slices in [0, 1), all of them for training, and open them.

    Args:
        n_volumes: number of volumes.
        per_volume: slices of each.
        size: rows and columns.

    Returns:
        The store; its folder is removed with it, at the latest when the process ends.
    """
    folder = Path(tempfile.mkdtemp(prefix="mrirecon-bench-"))
    try:
        _write(folder / "store.h5", n_volumes, per_volume, size)
        store = SliceStore(folder / "store.h5")
    except BaseException:
        shutil.rmtree(folder)
        raise
    weakref.finalize(store, shutil.rmtree, folder)
    return store


def _write(path: Path, n_volumes: int, per_volume: int, size: int) -> None:
    rng = np.random.default_rng(0)
    with SliceWriter(path, {}) as writer:
        for volume in range(n_volumes):
            images = [rng.random((size, size), dtype=np.float32) for _ in range(per_volume)]
            writer.add(
                images,
                range(per_volume),
                name=str(volume),
                person=str(volume),
                split="train",
                files=(),
                scale=float(np.max(images)),
                voxel_size=None,
            )
