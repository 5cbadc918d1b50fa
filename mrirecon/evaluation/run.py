"""Score every slice of a test set, batch by batch on the device."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mrirecon.classical import MethodConfig
from mrirecon.data import SimulationConfig, SliceDataset
from mrirecon.evaluation.reconstruct import ReconstructedBatch, reconstruct_batches
from mrirecon.evaluation.scores import (
    ALL_METHODS,
    DATA_RANGE,
    MethodName,
    SliceScore,
    score_slice,
)
from mrirecon.metrics import Protocol, measure_slices
from mrirecon.models import Generator
from mrirecon.sampling import Undersampling

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Evaluation:
    """One model's scores on one test set, under one sampling and one protocol.

    Attributes:
        name: of the test set.
        description: what the data are and where they come from, for a reader of the report.
        protocol: how it was scored.
        sampling: how k-space was undersampled.
        seed: of the masks and of the noise.
        simulation: noise, phase and coils that were added.
        is_simulated: whether all k-space is simulated, from magnitudes; else it was measured, and
            undersampled afterwards.
        scores: one for each slice and method; slices in the dataset's order.
        n_blank: slices left out as blank (see `evaluate`).
        seconds: from the first batch to the last score.
        classical: configurations of the classical methods that were scored.
    """

    name: str
    description: str
    protocol: Protocol
    sampling: Undersampling
    seed: int
    simulation: SimulationConfig
    is_simulated: bool
    scores: list[SliceScore]
    n_blank: int
    seconds: float
    classical: Mapping[MethodName, MethodConfig] = field(default_factory=dict)

    @property
    def kspace_statement(self) -> str:
        """Say where the k-space came from, for a reader of the report."""
        added = self.simulation
        noise = f"noise of SNR {added.snr:g}" if added.snr else f"noise of {added.noise_std:g}"
        parts = [noise] if added.has_noise else []
        if not self.is_simulated:
            return f"K-space was measured and undersampled afterwards{_with(parts)}."
        if added.phase > 0:
            parts.append(f"random phase of {added.phase:g} rad")
        if added.n_coils > 1:
            parts.append(f"{added.n_coils} coils")
        return f"K-space is simulated from images{_with(parts)}."

    @property
    def methods(self) -> tuple[MethodName, ...]:
        """The methods that were scored, first the one that uses neither prior nor network."""
        scored = {score.method for score in self.scores}
        return tuple(method for method in ALL_METHODS if method in scored)


@dataclass(frozen=True)
class _Measured:
    """What one batch measured: float64 (methods, measures, batch), still on the device."""

    volumes: list[int]
    slices: list[int]
    methods: tuple[MethodName, ...]
    values: Tensor
    n_pixels: int


def evaluate(
    generator: Generator,
    dataset: SliceDataset,
    sampling: Undersampling,
    *,
    seed: int,
    protocol: Protocol,
    batch_size: int,
    device: torch.device,
    name: str = "test",
    description: str = "",
    simulation: SimulationConfig | None = None,
    classical: Mapping[MethodName, MethodConfig] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score every method on every slice.

    Whole batches are undersampled, reconstructed and measured on the device; the host reads the
    measures once, at the end. A blank target has no NMSE, so protocols that score slices leave
    blank slices out, and the volume protocol subjects that are blank throughout.

    Args:
        generator: on `device`; scored in evaluation mode and left in the mode it came in.
        dataset: one split of a store.
        sampling: undersampling of the test; epoch 0 of its masks.
        seed: of the masks and of the noise.
        protocol: window, data range and pooling.
        batch_size: slices at once.
        device: where to compute.
        name: of the test set.
        description: of the test set, for the report.
        simulation: noise, phase and coils to add; None for none.
        classical: configurations of further methods, those of `CLASSICAL_METHODS`.
        progress: called after each batch with the slices done and their total.

    Returns:
        The scores; two runs on one device give the same.

    Raises:
        ValueError: the split has no slice with an image, or a method made NaN or Inf; the
            message names method, subject and slice.
    """
    start = time.perf_counter()
    was_training = generator.training
    generator.eval()
    measured: list[_Measured] = []
    try:
        batches = dataset.batches(batch_size, seed=seed, epoch=0, shuffle=False)
        for batch in reconstruct_batches(
            generator,
            batches,
            sampling,
            seed=seed,
            device=device,
            simulation=simulation,
            classical=classical,
        ):
            measured.append(_measure(batch, protocol))
            if progress:
                progress(sum(len(done.slices) for done in measured), len(dataset))
    finally:
        generator.train(was_training)
    scores = [score for batch in measured for score in _read_scores(batch, dataset)]
    kept = _without_blank(scores, protocol)
    if not kept:
        raise ValueError(f"{name}: expected at least one slice with an image, got none")
    return Evaluation(
        name=name,
        description=description,
        protocol=protocol,
        sampling=sampling,
        seed=seed,
        simulation=simulation or SimulationConfig(),
        is_simulated=dataset.store.is_simulated,
        scores=kept,
        n_blank=(len(scores) - len(kept)) // len(measured[0].methods),
        seconds=time.perf_counter() - start,
        classical=dict(classical or {}),
    )


def _with(parts: list[str]) -> str:
    return f", with {', '.join(parts)}" if parts else ""


def _measure(batch: ReconstructedBatch, protocol: Protocol) -> _Measured:
    values = []
    for image in batch.images.values():
        measures = measure_slices(image, batch.target, data_range=DATA_RANGE, protocol=protocol)
        values.append(torch.stack([measure.double() for measure in measures]))
    rows, cols = batch.target.shape[-2:]
    return _Measured(
        batch.volumes, batch.slices, tuple(batch.images), torch.stack(values), rows * cols
    )


def _read_scores(measured: _Measured, dataset: SliceDataset) -> list[SliceScore]:
    """Fetch a batch's measures from the device and score each slice by each method."""
    values = measured.values.tolist()
    scores = []
    for index, (volume, slice_index) in enumerate(
        zip(measured.volumes, measured.slices, strict=True)
    ):
        subject = dataset.store.subjects[volume].name
        for method, (ssims, squared_errors, target_energies) in zip(
            measured.methods, values, strict=True
        ):
            numbers = ssims[index], squared_errors[index], target_energies[index]
            if not all(math.isfinite(number) for number in numbers):
                raise ValueError(
                    f"{method}: expected finite images, got NaN or Inf in subject {subject!r}, "
                    f"slice {slice_index}"
                )
            scores.append(
                score_slice(
                    subject,
                    slice_index,
                    method,
                    ssim=numbers[0],
                    squared_error=numbers[1],
                    target_energy=numbers[2],
                    n_pixels=measured.n_pixels,
                )
            )
    return scores


def _without_blank(scores: list[SliceScore], protocol: Protocol) -> list[SliceScore]:
    """Keep the slices that the protocol can score; a subject blank throughout has no score."""
    if protocol.errors_over == "slice":
        return [score for score in scores if score.target_energy > 0]
    seen = {score.subject for score in scores if score.target_energy > 0}
    return [score for score in scores if score.subject in seen]
