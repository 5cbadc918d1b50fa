"""Keep the batch of a training step that went wrong, so that one can look at it."""

from dataclasses import replace
from pathlib import Path

import torch

from mrirecon.files import atomic_path
from mrirecon.sampling import MixtureConfig, Undersampling
from mrirecon.training.batch import measure_batch
from mrirecon.training.config import TrainingConfig
from mrirecon.training.divergence import DivergedError
from mrirecon.training.tensors import write_tensors


def save_diverged(
    run: Path,
    error: DivergedError,
    sampling: Undersampling | MixtureConfig,
    config: TrainingConfig,
    device: torch.device,
) -> Path:
    """Write what the networks saw in the step whose loss was not finite.

    The batch is undersampled once more: all of it is a function of the seed and the step.

    Args:
        run: folder of the run.
        error: names the step, its epoch and its slices.
        sampling: how k-space is undersampled.
        config: of the run.
        device: where the run computes.

    Returns:
        A safetensors file: `zero_filled` (real and imaginary part along the last axis) and
        `target` as the networks saw them, `images`, `volumes` and `slices` as in the store.

    Raises:
        OSError: the disk is full.
    """
    assert error.batch is not None
    batch = error.batch.to(device)
    one_by_one = replace(config, batch_size=1)  # in the batch's order, whatever their patterns
    measured = measure_batch(batch, sampling, one_by_one, step=error.step - 1, epoch=error.epoch)
    path = run / f"diverged_step_{error.step:06d}.safetensors"
    with atomic_path(path) as partial:
        write_tensors(
            partial,
            {
                "zero_filled": torch.view_as_real(torch.cat([one.zero_filled for one in measured])),
                "target": torch.cat([one.target for one in measured]),
                "images": error.batch.images,
                "volumes": error.batch.volumes,
                "slices": error.batch.slices,
            },
        )
    return path
