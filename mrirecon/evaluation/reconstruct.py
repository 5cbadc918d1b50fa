"""Undersample and reconstruct whole batches of a test set on the device."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mrirecon.data import Measurement, RawBatch, SimulationConfig, simulate
from mrirecon.evaluation.methods import MethodName, Reconstructor
from mrirecon.sampling import Undersampling

_EPOCH = 0  # a test set is seen once


@dataclass(frozen=True)
class ReconstructedBatch:
    """A batch of slices with every method's image of them.

    Attributes:
        volumes: index of each slice's subject in the store.
        slices: number of each slice within its source.
        target: float32, (batch, rows, cols), in [0, 1].
        images: float32, (batch, rows, cols), of each method.
        masks: bool, (batch, rows, cols), True where k-space was measured, off the grid in the
            cells that hold a sample; an expanded view.
        measurement: what the images were made of.
        seconds: that reconstruction took, by the host's clock.
    """

    volumes: list[int]
    slices: list[int]
    target: Tensor
    images: dict[MethodName, Tensor]
    masks: Tensor
    measurement: Measurement
    seconds: float


@torch.inference_mode()
def reconstruct_batches(
    reconstructors: Sequence[Reconstructor],
    batches: Iterable[RawBatch],
    sampling: Undersampling,
    *,
    seed: int,
    device: torch.device,
    simulation: SimulationConfig | None = None,
) -> Iterator[ReconstructedBatch]:
    """Reconstruct batch after batch; every method sees the same measurement.

    Args:
        reconstructors: on `device`; no two give a method of one name.
        batches: raw slices, as the dataset hands them out.
        sampling: how k-space is undersampled.
        seed: of the masks and of the noise.
        device: where to compute.
        simulation: noise, phase and coils to add; None for none.

    Yields:
        One reconstructed batch for each raw one, on `device`.
    """
    for raw in batches:
        measurement = simulate(
            raw.to(device), sampling, seed=seed, epoch=_EPOCH, simulation=simulation
        )
        _wait_for(device)
        start = time.perf_counter()
        images: dict[MethodName, Tensor] = {}
        for reconstructor in reconstructors:
            images |= reconstructor(measurement)
        _wait_for(device)
        target = measurement.target[:, 0].float()  # (batch, rows, cols)
        yield ReconstructedBatch(
            volumes=raw.volumes.tolist(),
            slices=raw.slices.tolist(),
            target=target,
            images=images,
            masks=measurement.mask.expand(target.shape),
            measurement=measurement,
            seconds=time.perf_counter() - start,
        )


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
