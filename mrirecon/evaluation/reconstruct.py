"""Undersample and reconstruct whole batches of a test set on the device."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mrirecon.classical import MethodConfig, reconstruct
from mrirecon.data import Measurement, RawBatch, SimulationConfig, simulate
from mrirecon.evaluation.scores import MethodName
from mrirecon.models import Generator, make_consistent
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
    """

    volumes: list[int]
    slices: list[int]
    target: Tensor
    images: dict[MethodName, Tensor]
    masks: Tensor


@torch.inference_mode()
def reconstruct_batches(
    generator: Generator,
    batches: Iterable[RawBatch],
    sampling: Undersampling,
    *,
    seed: int,
    device: torch.device,
    simulation: SimulationConfig | None = None,
    classical: Mapping[MethodName, MethodConfig] | None = None,
) -> Iterator[ReconstructedBatch]:
    """Reconstruct batch after batch by every method of `METHODS` or `OFF_GRID_METHODS`.

    Args:
        generator: on `device`, in evaluation mode.
        batches: raw slices, as the dataset hands them out.
        sampling: how k-space is undersampled.
        seed: of the masks and of the noise.
        device: where to compute.
        simulation: noise, phase and coils to add; None for none.
        classical: configurations of further methods, those of `CLASSICAL_METHODS`.

    Yields:
        One reconstructed batch for each raw one, on `device`, not waited for.
    """
    for raw in batches:
        measurement = simulate(
            raw.to(device), sampling, seed=seed, epoch=_EPOCH, simulation=simulation
        )
        phase, coil_maps = measurement.phase, measurement.coil_maps
        reconstruction = generator(measurement.zero_filled, measurement.sampled, phase, coil_maps)
        magnitude = measurement.zero_filled.abs()
        is_on_grid = measurement.nufft is None
        prior = magnitude if is_on_grid else torch.zeros_like(magnitude)
        alone = make_consistent(
            prior, measurement.zero_filled, measurement.sampled, phase, coil_maps
        )
        target = measurement.target[:, 0].float()  # (batch, rows, cols)
        yield ReconstructedBatch(
            volumes=raw.volumes.tolist(),
            slices=raw.slices.tolist(),
            target=target,
            images={
                "zero-filled" if is_on_grid else "gridding": magnitude[:, 0].float(),
                "data consistency alone": alone[:, 0].float(),
                **{
                    name: reconstruct_real(method, measurement)
                    for name, method in (classical or {}).items()
                },
                "network": reconstruction.network[:, 0].float(),
                "network + data consistency": reconstruction.consistent[:, 0].float(),
            },
            masks=measurement.mask.expand(target.shape),
        )


def reconstruct_real(method: MethodConfig, measurement: Measurement) -> Tensor:
    """Reconstruct the image along its estimated phase: float32, (batch, rows, cols), 0 or more."""
    maps = measurement.coil_maps if measurement.phase is None else measurement.phase
    image = reconstruct(method, measurement.kspace, measurement.sampled, maps, is_real=True)
    return image[:, 0].clamp_min(0.0).float()
