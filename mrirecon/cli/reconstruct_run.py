"""Reconstruct by a trained run: images undersampled as in training, and measured k-space."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import torch
from torch import Tensor

from mrirecon.classical import (
    ScanPart,
    crop_images,
    split_scan,
)
from mrirecon.cli.runs import EVALUATION_BATCH, TrainedRun, choose_pattern
from mrirecon.data import Measurement, RawBatch, Subject, low_resolution_phase, simulate
from mrirecon.data.kspace_file import KspaceFile
from mrirecon.sampling import TrajectoryConfig, acceleration, make_mask


def reconstruct_subject(
    trained: TrainedRun,
    subject: Subject,
    out: Path,
    device: torch.device,
    *,
    pattern: str | None = None,
) -> str:
    """Undersample a subject as in training, reconstruct it, and write it in the kind it came."""
    whole = RawBatch.of_volume(subject.read_volume())
    training, sampling = trained.config.training, choose_pattern(trained.config, pattern)

    def measure(first: int, last: int) -> Measurement:
        part = {field.name: getattr(whole, field.name)[first:last] for field in fields(whole)}
        return simulate(
            RawBatch(**part).to(device),
            sampling,
            seed=training.seed,
            simulation=training.simulation,
        )

    images = _in_batches(trained, measure, len(whole.images))
    subject.write_like((images * whole.scale[0]).numpy(), out)
    return f"{len(images)} slices, undersampled as in training"


def reconstruct_kspace(
    trained: TrainedRun,
    measured: KspaceFile,
    device: torch.device,
    *,
    pattern: str | None = None,
) -> tuple[Tensor, str]:
    """Reconstruct measured k-space, undersampled as it came or, if it is full, by the run's mask.

    Several coils are combined by their maps; the network sees the magnitude of the combined image
    and its result takes the phase of that image's central k-space; then all coils' samples are
    fitted.

    Returns:
        Magnitude, float32, (slices, rows, cols), on the CPU, and what was done in a few words.

    Raises:
        ValueError: all of k-space was measured and the run's undersampling is a trajectory, or as
            of `split_scan`.
    """
    how = "as it was measured"
    if measured.coords is None and measured.mask is None:
        measured, how = (
            _undersample(trained, measured, pattern),
            "undersampled by one mask of the run",
        )
    parts = [(part, part.encoding.adjoint(part.kspace)) for part in split_scan(measured, device)]
    scale = torch.stack([zero_filled.abs().amax() for _, zero_filled in parts]).amax()
    if scale == 0:
        raise ValueError("kspace: expected measured samples where the mask is set, got zeros alone")
    images = [_reconstruct_part(trained, part, image, scale).cpu() for part, image in parts]
    volume = crop_images(torch.cat(images)[:, 0] * scale.cpu(), measured.image_shape)
    if measured.mask is None:
        return volume, f"{len(volume)} slices, along the trajectory as it was measured"
    shape = measured.kspace.shape[-2:]
    factor = acceleration(measured.mask.expand(*measured.mask.shape[:-2], *shape))
    return volume, f"{len(volume)} slices, {how} ({factor:.2f}x)"


def _undersample(trained: TrainedRun, measured: KspaceFile, pattern: str | None) -> KspaceFile:
    sampling = choose_pattern(trained.config, pattern)
    if isinstance(sampling, TrajectoryConfig):
        raise ValueError(
            "kspace: expected undersampled k-space or an image, since the run was trained off the "
            "grid, got full k-space on the grid"
        )
    shape = measured.kspace.shape[-2], measured.kspace.shape[-1]
    mask = make_mask(sampling, shape, seed=trained.config.training.seed)
    return replace(measured, mask=mask)


@torch.inference_mode()
def _reconstruct_part(
    trained: TrainedRun, part: ScanPart, zero_filled: Tensor, scale: Tensor
) -> Tensor:
    """Reconstruct some slices: real, (slices, 1, rows, cols), divided by `scale`."""
    phase, scaled = low_resolution_phase(zero_filled), zero_filled / scale
    return trained.generator(scaled, part.sampled, phase, part.coil_maps).consistent


def _in_batches(
    trained: TrainedRun,
    measure: Callable[[int, int], Measurement],
    n_slices: int,
) -> Tensor:
    """Reconstruct slices in batches: float32, (n_slices, rows, cols), on the CPU."""
    images = []
    for first in range(0, n_slices, EVALUATION_BATCH):
        last = min(first + EVALUATION_BATCH, n_slices)
        measured = measure(first, last)
        with torch.inference_mode():
            reconstruction = trained.generator(
                measured.zero_filled, measured.sampled, measured.phase, measured.coil_maps
            )
            images.append(reconstruction.consistent[:, 0].cpu())
    return torch.cat(images)
