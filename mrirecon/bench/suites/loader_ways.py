"""Undersampled batches as plain PyTorch code makes them: a slice at a time, or whole batches.

Both draw the same masks as this package. They keep no part of it but the numbers of the slices, so
that they can be sent to worker processes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from mrirecon.data import SliceStore
from mrirecon.sampling import SamplingConfig, make_mask, mask_batch


class Pair(NamedTuple):
    """What a network is trained with, (batch, rows, cols).

    Attributes:
        target: float32.
        zero_filled: complex64.
    """

    target: Tensor
    zero_filled: Tensor


@dataclass(frozen=True)
class Places:
    """Where the slices are.

    Attributes:
        path: of the store.
        volumes: of each slice.
        numbers: of each slice within its volume.
        sampling: what is measured.
    """

    path: Path
    volumes: tuple[int, ...]
    numbers: tuple[int, ...]
    sampling: SamplingConfig

    @classmethod
    def of(cls, store: SliceStore, sampling: SamplingConfig) -> "Places":
        """Return the places of all slices of a store."""
        numbers = tuple(store.volumes.tolist()), tuple(store.numbers.tolist())
        return cls(store.path, *numbers, sampling)


class SingleSlices(Dataset[Pair]):
    """A slice at a time, as most code does: open the file, transform in NumPy, both axes."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def __len__(self) -> int:
        """Count the slices."""
        return len(self.places.volumes)

    def __getitem__(self, index: int) -> Pair:
        """Give target and zero-filled image of a slice."""
        places = self.places
        volume, number = places.volumes[index], places.numbers[index]
        with h5py.File(places.path) as file:
            image = file[f"images/{volume}"][number] / file["subjects/scale"][volume]
        mask = make_mask(places.sampling, image.shape, seed=0, volume=volume, slice_index=number)
        kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image), norm="ortho")) * mask.numpy()
        zero_filled = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kspace), norm="ortho"))
        return Pair(torch.from_numpy(image), torch.from_numpy(zero_filled.astype(np.complex64)))


class WholeBatches(IterableDataset[Pair]):
    """Whole batches, as an expert would: an open file, one transform, of the masked axis alone."""

    def __init__(self, places: Places, batch_size: int) -> None:
        self.places, self.batch_size = places, batch_size

    def __iter__(self) -> Iterator[Pair]:
        """Give the batches, or every so many of them where workers share them."""
        worker = get_worker_info()
        turn, n_workers = (worker.id, worker.num_workers) if worker else (0, 1)
        places, size = self.places, self.batch_size
        with h5py.File(places.path) as file:
            scales = torch.from_numpy(file["subjects/scale"][()])
            volumes = {number: file[f"images/{number}"] for number in set(places.volumes)}
            for first in range(turn * size, len(places.volumes), n_workers * size):
                rows = slice(first, first + size)
                pairs = zip(places.volumes[rows], places.numbers[rows], strict=True)
                images = torch.from_numpy(np.stack([volumes[v][n] for v, n in pairs]))
                scale = scales[list(places.volumes[rows])]
                yield self._undersample(images / scale[:, None, None], rows)

    def _undersample(self, target: Tensor, rows: slice) -> Pair:
        mask = mask_batch(
            self.places.sampling,
            (target.shape[-2], target.shape[-1]),
            seed=0,
            volumes=torch.tensor(self.places.volumes[rows]),
            slices=torch.tensor(self.places.numbers[rows]),
            epoch=0,
        )
        shifted = torch.fft.ifftshift(target, dim=-1)
        kspace = torch.fft.fftshift(torch.fft.fft(shifted, norm="ortho"), dim=-1) * mask
        image = torch.fft.ifft(torch.fft.ifftshift(kspace, dim=-1), norm="ortho")
        return Pair(target, torch.fft.fftshift(image, dim=-1))
