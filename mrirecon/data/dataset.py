"""Hand out whole batches of raw slices in an order that a seed and an epoch fix."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.data.pixels import magnitude
from mrirecon.data.store import SliceStore

READ_AHEAD = 2
"""Batches that are read before they are asked for."""


@dataclass(frozen=True)
class RawBatch:
    """Slices as the store holds them."""

    images: Tensor
    """Magnitudes (batch, rows, cols), in the files' type; or complex64 images of every coil,
    (batch, coils, rows, cols), whose Fourier transform is the measured k-space."""
    scale: Tensor
    """(batch,) float32, largest magnitude of each slice's volume."""
    volumes: Tensor
    """(batch,) int64, index of each slice's subject in the store; stays on the CPU."""
    slices: Tensor
    """(batch,) int64, number of each slice within its source; stays on the CPU."""

    @classmethod
    def of_volume(cls, volume: NDArray[Any]) -> "RawBatch":
        """Make a batch of all slices of a volume that is in no store.

        Args:
            volume: magnitudes (n_slices, rows, cols), as `Subject.read_volume` gives it; or
                complex64 images (n_slices, coils, rows, cols).

        Raises:
            ValueError: a value is NaN, infinite or negative, or all are 0.
        """
        magnitudes = np.stack([magnitude(image) for image in volume])
        scale = float(magnitudes.max())
        if not (np.isfinite(magnitudes).all() and magnitudes.min() >= 0 and scale > 0):
            expected = "finite magnitudes, 0 or more, not all 0"
            raise ValueError(f"volume: expected {expected}, got {magnitudes.min()} to {scale}")
        count = len(volume)
        return cls(
            images=torch.from_numpy(np.ascontiguousarray(volume)),
            scale=torch.full((count,), scale),
            volumes=torch.zeros(count, dtype=torch.int64),
            slices=torch.arange(count),
        )

    @property
    def is_complex(self) -> bool:
        """Whether the images have a phase, and an axis of coils."""
        return self.images.is_complex()

    def take(self, rows: Sequence[int]) -> "RawBatch":
        """Copy some slices of the batch."""
        places = list(rows)
        parts = (self.images, self.scale, self.volumes, self.slices)
        return RawBatch(*(part[places] for part in parts))

    def to(self, device: torch.device | str) -> "RawBatch":
        """Move images and scales; the numbers stay, since masks are drawn on the CPU."""
        moved = [t.to(device, non_blocking=t.is_pinned()) for t in (self.images, self.scale)]
        return replace(self, images=moved[0], scale=moved[1])


class SliceDataset:
    """One split of a store, or a rank's part of it.

    Batches are copied from the store's memory map by a thread, ahead of their use, on a machine
    with a GPU into pinned memory. A batch holds slices of one shape.

    Args:
        store: opened store, which stays open as long as the dataset is used.
        split: train, val or test.
        rank: number of this process among those that train together.
        world_size: number of these processes. Together they hand out, batch by batch, what one
            process with `world_size` times the batch size would.
        per_volume: at most so many slices of each volume, at even distances; None for all.

    Raises:
        ValueError: the store has no slice of that split, there is no such rank, or `per_volume`
            is below 1.

    Examples:
        >>> from mrirecon.data import SliceDataset, SliceStore
        >>> with SliceStore("store.h5") as store:
        ...     dataset = SliceDataset(store, "train")
        ...     batch = next(iter(dataset.batches(4, epoch=0, shuffle=True)))
        ...     len(dataset), batch.images.shape
        (64, torch.Size([4, 32, 32]))
    """

    def __init__(
        self,
        store: SliceStore,
        split: str,
        *,
        rank: int = 0,
        world_size: int = 1,
        per_volume: int | None = None,
    ) -> None:
        if not 0 <= rank < world_size:
            raise ValueError(f"rank: expected 0 to world_size - 1 = {world_size - 1}, got {rank}")
        self.store = store
        self.split = split
        self._rank, self._world_size = rank, world_size
        rows = np.asarray(store.rows_of(split))
        self._rows = rows if per_volume is None else _thin_out(rows, store.volumes, per_volume)
        self._buckets = store.buckets[self._rows]
        self._dtype = torch.from_numpy(np.empty(0, store.dtype)).dtype
        self._pins = torch.cuda.is_available()

    def __len__(self) -> int:
        """Count the slices of the split, of all ranks together."""
        return len(self._rows)

    def n_batches(self, batch_size: int, *, drop_last: bool = False) -> int:
        """Count the batches of an epoch that this rank is handed."""
        order = np.arange(len(self))
        return len(self._pieces(order, batch_size, drop_last=drop_last))

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
            batch_size: slices in a batch of this rank; the last one of a shape may have fewer.
            seed: of the order.
            epoch: each has its own order.
            shuffle: without it, slices come in the order of the store.
            start: batch to begin with, for a run that goes on where it was stopped.
            drop_last: leave out batches that are not full on every rank.

        Raises:
            ValueError: `batch_size` below 1 or `start` below 0.
        """
        if start < 0:
            raise ValueError(f"start: expected 0 or more, got {start}")
        order = slice_order(len(self), seed=seed, epoch=epoch) if shuffle else np.arange(len(self))
        return self._read_ahead(self._pieces(order, batch_size, drop_last=drop_last)[start:])

    def _pieces(
        self, order: NDArray[np.int64], batch_size: int, *, drop_last: bool
    ) -> list[NDArray[np.int64]]:
        if batch_size < 1:
            raise ValueError(f"batch_size: expected 1 or more, got {batch_size}")
        whole = batch_size * self._world_size
        mine = slice(self._rank * batch_size, (self._rank + 1) * batch_size)
        pieces = cut_batches(order, self._buckets, whole, drop_last=drop_last)
        return [piece[mine] for piece in pieces if len(piece) > mine.start]

    def _read(self, places: NDArray[np.int64]) -> RawBatch:
        rows = self._rows[places]
        shape = self.store.shapes[self.store.buckets[rows[0]]]
        images = torch.empty((len(rows), *shape), dtype=self._dtype, pin_memory=self._pins)
        self.store.read_rows(rows, out=images.numpy())
        volumes = self.store.volumes[rows]
        scale = torch.from_numpy(self.store.scales[volumes])
        return RawBatch(
            images=images,
            scale=scale.pin_memory() if self._pins else scale,
            volumes=torch.from_numpy(volumes),
            slices=torch.from_numpy(self.store.numbers[rows]),
        )

    def _read_ahead(self, pieces: list[NDArray[np.int64]]) -> Iterator[RawBatch]:
        with ThreadPoolExecutor(1) as thread:
            coming: deque[Future[RawBatch]] = deque()
            for piece in pieces:
                coming.append(thread.submit(self._read, piece))
                if len(coming) > READ_AHEAD:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()


def _thin_out(
    rows: NDArray[np.int64], volumes: NDArray[np.int64], per_volume: int
) -> NDArray[np.int64]:
    """Keep at most so many rows of each volume, at even distances, the ends left out."""
    if per_volume < 1:
        raise ValueError(f"per_volume: expected 1 or more, got {per_volume}")
    kept = []
    for volume in np.unique(volumes[rows]):
        own = rows[volumes[rows] == volume]
        count = min(per_volume, len(own))
        kept.append(own[(2 * np.arange(count) + 1) * len(own) // (2 * count)])
    return np.concatenate(kept)


def cut_batches(
    order: NDArray[np.int64], buckets: NDArray[np.int64], size: int, *, drop_last: bool
) -> list[NDArray[np.int64]]:
    """Cut an order of slices into batches of one bucket each.

    Slices of a bucket keep their order, and a batch comes where its first slice stood, so that
    batches of all buckets are mixed as the slices were.

    Args:
        order: (n,), places of slices.
        buckets: (n,), bucket of the slice at each place.
        size: slices in a batch; the last one of a bucket may have fewer.
        drop_last: leave out batches that are not full.
    """
    batches = []
    for bucket in np.unique(buckets):
        inside = np.flatnonzero(buckets[order] == bucket)
        end = len(inside) // size * size if drop_last else len(inside)
        batches += [inside[first : min(first + size, end)] for first in range(0, end, size)]
    return [order[batch] for batch in sorted(batches, key=lambda batch: int(batch[0]))]


def slice_order(count: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Shuffle `count` slices, the same way on every machine and with every version of NumPy.

    Philox (Salmon et al. 2011, doi:10.1145/2063384.2063405) is a fixed function of its key; NumPy
    promises no such thing for `permutation`.

    Returns:
        (count,) int64, a permutation.
    """
    key = np.random.SeedSequence([seed, epoch])
    return np.argsort(np.random.Philox(key).random_raw(count), kind="stable")
