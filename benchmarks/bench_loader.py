"""Batches of undersampled slices: this package's loader against the common way and batched PyTorch.

Every way reads the same store, draws the same masks (`make_mask`) and gives target and zero-filled
image, checked against NumPy in float64 before anything is timed. Ways are timed in turn, epoch by
epoch. Floors: copying the batches alone, and the transforms of one axis alone.
Freed memory is kept (`mrirecon.native.keep_freed_memory`), which serves every way, unless
`--return-memory` is given. At the end resident memory is read after each of so many epochs.

Command: OMP_NUM_THREADS=2 python benchmarks/bench_loader.py
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mrirecon import native
from mrirecon.data import SliceDataset, SliceStore, simulate
from mrirecon.data.store_writer import SliceWriter
from mrirecon.sampling import SamplingConfig, make_mask, mask_batch

SAMPLING = SamplingConfig("equispaced", acceleration=4)
N_VOLUMES = 16
Pair = tuple[Tensor, Tensor]  # target float32, zero-filled complex64; (batch, rows, cols)
Epoch = Callable[[], Iterable[object]]


class CommonDataset(Dataset[Pair]):
    """A slice at a time: open the file, transform in NumPy, both axes."""

    def __init__(self, path: Path, per_volume: int) -> None:
        self.path, self.per_volume = path, per_volume

    def __len__(self) -> int:
        """Count the slices."""
        return N_VOLUMES * self.per_volume

    def __getitem__(self, index: int) -> Pair:
        """Give target and zero-filled image of a slice."""
        volume, number = divmod(index, self.per_volume)
        with h5py.File(self.path) as file:
            image = file[f"images/{volume}"][number] / file["subjects/scale"][volume]
        mask = make_mask(SAMPLING, image.shape, seed=0, volume=volume, slice_index=number)
        kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image), norm="ortho")) * mask.numpy()
        zero_filled = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kspace), norm="ortho"))
        return torch.from_numpy(image), torch.from_numpy(zero_filled.astype(np.complex64))


def batched(store: SliceStore, batch_size: int) -> Iterator[Pair]:
    """Read and transform whole batches in PyTorch, centred, along the masked axis alone."""
    with h5py.File(store.path) as file:
        volumes = [file[f"images/{place}"] for place in range(N_VOLUMES)]
        for first in range(0, len(store), batch_size):
            rows = range(first, min(first + batch_size, len(store)))
            places = [(int(store.volumes[row]), int(store.numbers[row])) for row in rows]
            images = torch.from_numpy(np.stack([volumes[v][n] for v, n in places]))
            scale = torch.from_numpy(store.scales[[v for v, _ in places]])
            target = images / scale[:, None, None]
            mask = mask_batch(
                SAMPLING,
                (target.shape[-2], target.shape[-1]),
                seed=0,
                volumes=torch.tensor([v for v, _ in places]),
                slices=torch.tensor([n for _, n in places]),
                epoch=0,
            )
            shifted = torch.fft.ifftshift(target, dim=-1)
            kspace = torch.fft.fftshift(torch.fft.fft(shifted, norm="ortho"), dim=-1) * mask
            image = torch.fft.ifft(torch.fft.ifftshift(kspace, dim=-1), norm="ortho")
            yield target, torch.fft.fftshift(image, dim=-1)


def ours(store: SliceStore, batch_size: int) -> Iterator[Pair]:
    """Hand out the package's batches."""
    for batch in SliceDataset(store, "train").batches(batch_size):
        measured = simulate(batch, SAMPLING, seed=0)
        yield measured.target[:, 0], measured.zero_filled[:, 0]


def reading(store: SliceStore, batch_size: int) -> Iterator[Tensor]:
    """Floor: copy the batches."""
    for batch in SliceDataset(store, "train").batches(batch_size):
        yield batch.images


def transforming(store: SliceStore, batch_size: int) -> Iterator[Tensor]:
    """Floor: transform as many batches along one axis and back."""
    images = torch.rand(batch_size, *store.shapes[0])
    for _ in range(len(store) // batch_size):
        yield torch.fft.ifft(torch.fft.fft(images))


def write_store(path: Path, n_slices: int, size: int) -> None:
    """Write float32 slices of noise."""
    rng = np.random.default_rng(0)
    per_volume = n_slices // N_VOLUMES
    with SliceWriter(path, {}) as writer:
        for volume in range(N_VOLUMES):
            images = rng.random((per_volume, size, size), dtype=np.float32)
            writer.add(
                images,
                range(per_volume),
                name=str(volume),
                person=str(volume),
                split="train",
                files=(),
                scale=float(images.max()),
                voxel_size=None,
            )


def largest_error(pairs: Iterable[Pair], store: SliceStore) -> float:
    """Compare an epoch with NumPy in float64; the images are in [0, 1]."""
    error, row = 0.0, 0
    for target, zero_filled in pairs:
        for one, other in zip(target.numpy(), zero_filled.numpy(), strict=True):
            volume, number = int(store.volumes[row]), int(store.numbers[row])
            image = store.read_rows([row])[0].astype(np.float64) / store.scales[volume]
            mask = make_mask(SAMPLING, image.shape, seed=0, volume=volume, slice_index=number)
            kspace = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image))) * mask.numpy()
            expected = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kspace)))
            error = max(error, np.abs(one - image).max(), np.abs(other - expected).max())
            row += 1
    assert row == len(store)
    return error


def seconds_of(epoch: Epoch) -> float:
    """Time one epoch."""
    start = time.perf_counter()
    for _ in epoch():
        pass
    return time.perf_counter() - start


def main() -> None:
    """Print a table of images a second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=512)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--memory-epochs", type=int, default=20)
    parser.add_argument("--return-memory", action="store_true")
    options = parser.parse_args()
    if not options.return_memory:
        native.keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.h5"
        write_store(path, options.slices, options.size)
        with SliceStore(path) as store:
            print_table(store, options.batch_size, options.epochs)
            print_memory(store, options.batch_size, options.memory_epochs)


def print_table(store: SliceStore, size: int, n_epochs: int) -> None:
    """Check every way, then time them in turn."""
    common = CommonDataset(store.path, len(store) // N_VOLUMES)
    ways: dict[str, Callable[[], Iterable[Pair]]] = {
        "mrirecon": lambda: ours(store, size),
        "batched PyTorch, one axis": lambda: batched(store, size),
        "common way, one process": lambda: DataLoader(common, size),
        "common way, two workers": lambda: DataLoader(common, size, num_workers=2),
    }
    errors = {name: f"{largest_error(way(), store):.1e}" for name, way in ways.items()}
    epochs: dict[str, Epoch] = {
        **ways,
        "floor: copying the batches": lambda: reading(store, size),
        "floor: transforms of one axis": lambda: transforming(store, size),
    }
    times: dict[str, list[float]] = {name: [] for name in epochs}
    for _ in range(n_epochs):
        for name, epoch in epochs.items():
            times[name].append(seconds_of(epoch))
    best = median(times["mrirecon"])
    shape = " x ".join(map(str, store.shapes[0]))
    print(f"{len(store)} slices of {shape}, batches of {size}, {torch.get_num_threads()} threads\n")
    print("| way | images/s | mrirecon is faster by | largest error |\n|---|---|---|---|")
    for name, taken in times.items():
        rate = len(store) / median(taken)
        print(f"| {name} | {rate:,.0f} | {median(taken) / best:.2f} | {errors.get(name, '')} |")


def print_memory(store: SliceStore, size: int, n_epochs: int) -> None:
    """Print what resident memory is after each epoch of this package's loader [MiB]."""
    resident = []
    for _ in range(n_epochs):
        for _ in ours(store, size):
            pass
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        resident.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
    listed = ", ".join(f"{mebibytes:.0f}" for mebibytes in resident)
    print(f"\nResident memory after each of {n_epochs} epochs, MiB: {listed}")


if __name__ == "__main__":
    main()
