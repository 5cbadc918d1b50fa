"""Score every slice of a test set, batch by batch on the device."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from mrirecon.classical import MethodConfig
from mrirecon.data import SimulationConfig, SliceDataset
from mrirecon.evaluation.grid import Cell
from mrirecon.evaluation.measure import measure_batch, read_scores
from mrirecon.evaluation.methods import (
    MethodName,
    Reconstructor,
    baselines,
    network,
    order_methods,
)
from mrirecon.evaluation.methods import classical as make_classical
from mrirecon.evaluation.reconstruct import reconstruct_batches
from mrirecon.evaluation.regions import Region, draw_region, find_masks
from mrirecon.evaluation.scores import IMAGE, SliceScore
from mrirecon.evaluation.throughput import Throughput
from mrirecon.metrics import Protocol
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
        cell: how k-space was undersampled, and what was added to it.
        is_simulated: whether all k-space is simulated, from magnitudes; else it was measured, and
            undersampled afterwards.
        scores: one for each slice and method; slices in the dataset's order.
        n_blank: slices left out as blank (see `evaluate`).
        seconds: from the first batch to the last score.
        classical: configurations of the classical methods that were scored.
        runs: name of the run behind each method of a network.
        throughput: of what made images together, under the names of these methods.
    """

    name: str
    description: str
    protocol: Protocol
    cell: Cell
    is_simulated: bool
    scores: list[SliceScore]
    n_blank: int
    seconds: float
    classical: Mapping[MethodName, MethodConfig] = field(default_factory=dict)
    runs: Mapping[MethodName, str] = field(default_factory=dict)
    throughput: Mapping[tuple[MethodName, ...], Throughput] = field(default_factory=dict)

    @property
    def sampling(self) -> Undersampling:
        """How k-space was undersampled."""
        return self.cell.sampling

    @property
    def simulation(self) -> SimulationConfig:
        """Noise, phase and coils that were added."""
        return self.cell.simulation

    @property
    def seed(self) -> int:
        """Of the masks and of the noise."""
        return self.cell.seed

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
        return order_methods(score.method for score in self.scores)


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
    was_training = generator.training
    generator.eval()
    start = time.perf_counter()
    reconstructors = [
        baselines,
        *(make_classical(method, config) for method, config in (classical or {}).items()),
        network(generator),
    ]
    try:
        scored = score_slices(
            reconstructors,
            dataset,
            sampling,
            seed=seed,
            protocol=protocol,
            batch_size=batch_size,
            device=device,
            simulation=simulation,
            progress=progress,
        )
    finally:
        generator.train(was_training)
    kept = without_blank(scored.scores, protocol)
    if not kept:
        raise ValueError(f"{name}: expected at least one slice with an image, got none")
    return Evaluation(
        name=name,
        description=description,
        protocol=protocol,
        cell=Cell(sampling, simulation or SimulationConfig(), seed),
        is_simulated=dataset.store.is_simulated,
        scores=kept,
        n_blank=len(dataset) - len({(score.subject, score.slice) for score in kept}),
        seconds=time.perf_counter() - start,
        classical=dict(classical or {}),
    )


@dataclass(frozen=True)
class ScoredSlices:
    """Scores of every slice, method and region, blank slices too, and what they took.

    Attributes:
        scores: slices in the dataset's order.
        seconds: of reconstruction alone, without reading, simulation and scoring.
    """

    scores: list[SliceScore]
    seconds: float


def score_slices(
    reconstructors: Sequence[Reconstructor],
    dataset: SliceDataset,
    sampling: Undersampling,
    *,
    seed: int,
    protocol: Protocol,
    batch_size: int,
    device: torch.device,
    simulation: SimulationConfig | None = None,
    regions: Sequence[Region] = (),
    progress: Progress | None = None,
) -> ScoredSlices:
    """Score any methods on every slice.

    Args:
        reconstructors: what makes the images.
        dataset: as in `evaluate`, which says what the others are too.
        sampling: as there.
        seed: as there.
        protocol: as there.
        batch_size: as there.
        device: as there.
        simulation: as there.
        regions: to score beside the whole image.
        progress: as there.

    Raises:
        ValueError: a method made NaN or Inf, or a region's masks do not fit.
    """
    measured, seconds, done = [], 0.0, 0
    masks = {region: find_masks(region, dataset.store, dataset.split) for region in regions}
    for batch in reconstruct_batches(
        reconstructors,
        dataset.batches(batch_size, seed=seed, epoch=0, shuffle=False),
        sampling,
        seed=seed,
        device=device,
        simulation=simulation,
    ):
        inside = {region.name: draw_region(region, paths, batch) for region, paths in masks.items()}
        measured.append(measure_batch(batch, protocol, inside))
        seconds += batch.seconds
        done += len(batch.slices)
        if progress:
            progress(done, len(dataset))
    scores = [score for batch in measured for score in read_scores(batch, dataset)]
    return ScoredSlices(scores, seconds)


def _with(parts: list[str]) -> str:
    return f", with {', '.join(parts)}" if parts else ""


def without_blank(scores: list[SliceScore], protocol: Protocol) -> list[SliceScore]:
    """Keep the slices that the protocol can score; a subject blank throughout has no score."""
    images = [score for score in scores if score.region == IMAGE and score.target_energy > 0]
    if protocol.errors_over == "slice":
        shown = {(score.subject, score.slice) for score in images}
        return [score for score in scores if (score.subject, score.slice) in shown]
    seen = {score.subject for score in images}
    return [score for score in scores if score.subject in seen]
