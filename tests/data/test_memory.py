"""Memory of the loader over many epochs."""

import ctypes
import os
from pathlib import Path

import pytest

from mrirecon.bench.suites.noise_store import noise_store
from mrirecon.data import SliceDataset, simulate
from mrirecon.sampling import SamplingConfig


def resident_bytes() -> int:
    ctypes.CDLL(None).malloc_trim(0)  # freed memory that the C library keeps does not count
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell")
def test_memory_does_not_grow_over_epochs() -> None:
    """What other loaders' users complain of most: HDF5 and workers that keep what they read."""
    n_slices, size = 64, 128
    store = noise_store(n_volumes=4, per_volume=n_slices // 4, size=size)
    dataset = SliceDataset(store, "train")
    resident = []
    for epoch in range(12):
        for batch in dataset.batches(16, epoch=epoch, shuffle=True):
            simulate(batch, SamplingConfig("equispaced", acceleration=4), seed=0, epoch=epoch)
        resident.append(resident_bytes())
    # Ten epochs that kept a byte a pixel would hold more; float32 images would hold four times it.
    assert resident[-1] - resident[1] < 10 * n_slices * size**2
