"""Batches of undersampled slices read from a store: `data.SliceDataset` and `data.simulate`."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from mrirecon.bench.case import Case, Floors, Problem, Setup, Way
from mrirecon.bench.suites.loader_ways import Pair, Places, SingleSlices, WholeBatches
from mrirecon.bench.suites.noise_store import noise_store
from mrirecon.data import SliceDataset, SliceStore, simulate
from mrirecon.sampling import SamplingConfig, make_mask

SAMPLING = SamplingConfig("equispaced", acceleration=4)
Epoch = Iterable[Pair]
_COMMON, _BATCHED = "PyTorch: one slice at a time", "PyTorch: batched, one axis"
_AIMS = {_BATCHED: 3.0, _COMMON: 10.0}


def cases(setup: Setup) -> Iterator[Case]:
    """Yield an epoch over a store; there is none on a GPU, where disk and CPU decide too."""
    if setup.device.type != "cpu":
        return
    n_volumes, per_volume, size, batch_size = (2, 4, 16, 3) if setup.small else (16, 32, 256, 16)
    n_slices = n_volumes * per_volume
    yield Case(
        "loader",
        f"epoch of {n_slices} slices, {size} x {size}, batches of {batch_size}",
        partial(_make, n_volumes, per_volume, size, batch_size),
        aims=_AIMS,
        n_images=n_slices,
    )


def _make(n_volumes: int, per_volume: int, size: int, batch_size: int) -> Problem:
    store = noise_store(n_volumes, per_volume, size)
    places = Places.of(store, SAMPLING)
    single, whole = SingleSlices(places), WholeBatches(places, batch_size)
    ways: dict[str, Callable[[], Way]] = {
        "mrirecon": lambda: _way(partial(_ours, store, batch_size), "a thread reads ahead"),
        _BATCHED: lambda: _way(lambda: whole, "file kept open"),
        f"{_BATCHED}, two workers": lambda: _workers(whole, batch_size=None),
        _COMMON: lambda: _way(lambda: DataLoader(single, batch_size), "NumPy, both axes"),
        f"{_COMMON}, two workers": lambda: _workers(single, batch_size=batch_size),
    }
    images = torch.rand(batch_size, size, size)

    def transforms() -> None:
        for _ in range(len(store) // batch_size):
            torch.fft.ifft(torch.fft.fft(images))

    return Problem(
        ways=ways,
        expected=lambda: _expected(store, batch_size),
        tolerance=10 * float(np.finfo(np.float32).eps),  # two transforms, and a division
        # float32 is read; float32 and complex64 are written
        floors=Floors(n_bytes=16 * len(store) * size**2, transforms=transforms),
    )


def _way(start: Callable[[], Epoch], setting: str) -> Way:
    """Time an epoch of which nothing is kept; check a slice of each batch of another epoch."""

    def run() -> None:
        for _ in start():
            pass

    return Way(run, lambda _: _one_of_each(start()), setting)


def _workers(dataset: Any, *, batch_size: int | None) -> Way:
    loader: DataLoader[Pair] = DataLoader(
        dataset, batch_size, num_workers=2, persistent_workers=True
    )
    return _way(lambda: loader, "processes that stay")


def _ours(store: SliceStore, batch_size: int) -> Epoch:
    for batch in SliceDataset(store, "train").batches(batch_size):
        measured = simulate(batch, SAMPLING, seed=0)
        yield Pair(measured.target[:, 0], measured.zero_filled[:, 0])


def _one_of_each(epoch: Epoch) -> Tensor:
    """Return target and zero-filled image of a slice of each batch, each at another place."""
    kept = []
    for number, (target, zero_filled) in enumerate(epoch):
        place = number % len(target)
        kept.append(torch.stack([target[place].to(torch.complex64), zero_filled[place]]))
    return torch.stack(kept)


def _expected(store: SliceStore, batch_size: int) -> Tensor:
    """Return the same by NumPy in double precision, both axes transformed."""
    kept = []
    for number, first in enumerate(range(0, len(store), batch_size)):
        row = first + number % min(batch_size, len(store) - first)
        volume = int(store.volumes[row])
        image = store.read_rows([row])[0].astype(np.float64) / store.scales[volume]
        place = {"volume": volume, "slice_index": int(store.numbers[row])}
        mask = make_mask(SAMPLING, image.shape, seed=0, **place).numpy()
        kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image))) * mask
        zero_filled = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kspace)))
        kept.append(torch.from_numpy(np.stack([image.astype(np.complex128), zero_filled])))
    return torch.stack(kept)
