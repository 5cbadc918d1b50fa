"""Lay a few slices of a test set out as strips of pictures, to watch a training by."""

import torch
from torch import Tensor

from mrirecon.data import RawBatch, SimulationConfig, SliceDataset
from mrirecon.evaluation.methods import baselines, network
from mrirecon.evaluation.reconstruct import ReconstructedBatch, reconstruct_batches
from mrirecon.models import Generator
from mrirecon.sampling import Undersampling

ERROR_GAIN = 4
"""Times by which the error is brightened: a quarter of the volume's maximum is white."""
LAYOUT = f"target, input, reconstruction, {ERROR_GAIN} x error"


def reconstruct_strips(
    generator: Generator,
    dataset: SliceDataset,
    sampling: Undersampling,
    *,
    seed: int,
    device: torch.device,
    simulation: SimulationConfig | None = None,
    n_slices: int = 4,
) -> dict[str, Tensor]:
    """Reconstruct slices at even distances: the same ones, equally undersampled, at each call.

    Args:
        generator: on `device`; left in the mode it came in.
        dataset: one split of a store.
        sampling: how k-space is undersampled.
        seed: of the masks and of the noise.
        device: where to compute.
        simulation: noise, phase and coils to add; None for none.
        n_slices: how many, at most all.

    Returns:
        By "subject, slice number": (rows, 4 cols), in [0, 1], on the CPU, as in `LAYOUT`; the input
        is the zero-filled or the gridded image.
    """
    count = min(n_slices, len(dataset))
    places = [len(dataset) * (2 * part + 1) // (2 * count) for part in range(count)]
    batches = [_read_slice(dataset, place) for place in places]
    was_training = generator.training
    generator.eval()
    try:
        reconstructed = reconstruct_batches(
            [baselines, network(generator)],
            batches,
            sampling,
            seed=seed,
            device=device,
            simulation=simulation,
        )
        strips = [_lay_out(batch) for batch in reconstructed]
    finally:
        generator.train(was_training)
    names = [
        f"{dataset.store.subjects[int(raw.volumes[0])].name}, slice {int(raw.slices[0])}"
        for raw in batches
    ]
    return dict(zip(names, strips, strict=True))


def _read_slice(dataset: SliceDataset, place: int) -> RawBatch:
    return next(iter(dataset.batches(1, start=place)))


def _lay_out(batch: ReconstructedBatch) -> Tensor:
    target, images = batch.target[0], list(batch.images.values())
    zero_filled, result = images[0][0], images[-1][0]
    error = ERROR_GAIN * (result - target).abs()
    return torch.cat([target, zero_filled, result, error], dim=1).clamp(0, 1).cpu()
