"""Hand out whole batches of raw slices in an order that a seed and an epoch fix."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.data.store import SliceStore

MEMORY_BUDGET = 4 << 30
"""Bytes up to which a split is held in memory."""


@dataclass(frozen=True)
class RawBatch:
    """Slices as the store holds them."""

    images: Tensor
    """(batch, rows, cols), in the files' type."""
    scale: Tensor
    """(batch,) float32, largest value of each slice's volume."""
    volumes: Tensor
    """(batch,) int64, index of each slice's subject in the store; stays on the CPU."""
    slices: Tensor
    """(batch,) int64, number of each slice within its source; stays on the CPU."""

    @classmethod
    def of_volume(cls, volume: NDArray[Any]) -> "RawBatch":
        """Make a batch of all slices of a volume that is in no store.

        Args:
            volume: (n_slices, rows, cols), as `Subject.read_volume` gives it.

        Raises:
            ValueError: a value is NaN, infinite or negative, or all are 0.
        """
        scale = float(volume.max())
        if not (np.isfinite(volume).all() and volume.min() >= 0 and scale > 0):
            expected = "finite magnitudes, 0 or more, not all 0"
            raise ValueError(f"volume: expected {expected}, got {volume.min()} to {scale}")
        count = len(volume)
        return cls(
            images=torch.from_numpy(np.ascontiguousarray(volume)),
            scale=torch.full((count,), scale),
            volumes=torch.zeros(count, dtype=torch.int64),
            slices=torch.arange(count),
        )

    def to(self, device: torch.device | str) -> "RawBatch":
        """Move images and scales; the numbers stay, since masks are drawn on the CPU."""
        moving = torch.device(device).type == "cuda"
        images, scale = (t.pin_memory() if moving else t for t in (self.images, self.scale))
        return replace(
            self,
            images=images.to(device, non_blocking=moving),
            scale=scale.to(device, non_blocking=moving),
        )


class SliceDataset:
    """One split of a store.

    A split within the memory budget is read once; a larger one is read batch by batch, one batch
    ahead of its use.

    Args:
        store: opened store, which stays open as long as the dataset is used.
        split: train, val or test.
        memory_budget: largest split to hold in memory [bytes].

    Raises:
        ValueError: the store has no slice of that split.
    """

    def __init__(
        self, store: SliceStore, split: str, *, memory_budget: int = MEMORY_BUDGET
    ) -> None:
        self.store = store
        self.split = split
        self._rows = store.rows_of(split)
        size = len(self._rows) * store.dtype.itemsize * store.shape[0] * store.shape[1]
        self._held = store.read_range(self._rows) if size <= memory_budget else None

    def __len__(self) -> int:
        """Count the slices."""
        return len(self._rows)

    @property
    def is_in_memory(self) -> bool:
        """Whether the split is held in memory."""
        return self._held is not None

    def n_batches(self, batch_size: int, *, drop_last: bool = False) -> int:
        """Count the batches of an epoch."""
        return len(self) // batch_size if drop_last else -(-len(self) // batch_size)

    def batches(
        self,
        batch_size: int,
        *,
        seed: int = 0,
        epoch: int = 0,
        shuffle: bool = False,
        start: int = 0,
        drop_last: bool = False,
    ) -> Iterator[RawBatch]:
        """Hand out the batches of one epoch.

        Args:
            batch_size: slices in a batch; the last one may have fewer.
            seed: of the order.
            epoch: each has its own order.
            shuffle: without it, slices come in the order of the store.
            start: batch to begin with, for a run that goes on where it was stopped.
            drop_last: leave out a last batch that is not full.

        Raises:
            ValueError: `batch_size` below 1 or `start` below 0.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size: expected 1 or more, got {batch_size}")
        if start < 0:
            raise ValueError(f"start: expected 0 or more, got {start}")
        order = slice_order(len(self), seed=seed, epoch=epoch) if shuffle else np.arange(len(self))
        end = self.n_batches(batch_size, drop_last=drop_last)
        pieces = [order[i * batch_size : (i + 1) * batch_size] for i in range(start, end)]
        return map(self._read, pieces) if self.is_in_memory else self._read_ahead(pieces)

    def _read(self, places: NDArray[np.int64]) -> RawBatch:
        rows = places + self._rows.start
        images = self.store.read_rows(rows) if self._held is None else self._held[places]
        volumes = self.store.volumes[rows]
        return RawBatch(
            images=torch.from_numpy(images),
            scale=torch.from_numpy(self.store.scales[volumes]),
            volumes=torch.from_numpy(volumes),
            slices=torch.from_numpy(self.store.numbers[rows]),
        )

    def _read_ahead(self, pieces: list[NDArray[np.int64]]) -> Iterator[RawBatch]:
        with ThreadPoolExecutor(1) as thread:
            coming = None
            for piece in pieces:
                following = thread.submit(self._read, piece)
                if coming is not None:
                    yield coming.result()
                coming = following
            if coming is not None:
                yield coming.result()


def slice_order(count: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Shuffle `count` slices, the same way on every machine and with every version of NumPy.

    Philox (Salmon et al. 2011, doi:10.1145/2063384.2063405) is a fixed function of its key; NumPy
    promises no such thing for `permutation`.

    Returns:
        (count,) int64, a permutation.
    """
    key = np.random.SeedSequence([seed, epoch])
    return np.argsort(np.random.Philox(key).random_raw(count), kind="stable")
