"""Choose slices that show a test set fairly, and keep their images for the report."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mrirecon.data import RawBatch, SliceDataset
from mrirecon.evaluation.methods import MethodName, Reconstructor, order_methods
from mrirecon.evaluation.reconstruct import ReconstructedBatch, reconstruct_batches
from mrirecon.evaluation.run import Evaluation
from mrirecon.evaluation.scores import IMAGE, SliceScore

_BY_PLACE = "at even distances"
_WORST = ("worst SSIM", "worst SSIM of another subject", "worst SSIM of a third subject")


@dataclass(frozen=True)
class Example:
    """One slice with the images that every method made of it.

    Attributes:
        subject: name of the subject in the store.
        slice: number of the slice within its source.
        reason: why it was chosen.
        is_ranked: chosen as worst, median or best, not for its place in the test set.
        target: float32, (rows, cols), in [0, 1], on the CPU; the images and the mask alike.
        images: float32, (rows, cols), of each method.
        mask: bool, (rows, cols), True where k-space was measured.
        scores: of each method, from the evaluation.
    """

    subject: str
    slice: int
    reason: str
    is_ranked: bool
    target: Tensor
    images: dict[MethodName, Tensor]
    mask: Tensor
    scores: dict[MethodName, SliceScore]


def choose_slices(scores: Sequence[SliceScore], *, n_even: int) -> dict[tuple[str, int], str]:
    """Choose the worst slices by SSIM, each of another subject, median and best, and more.

    Ranked is the last method, a network with data consistency where there is one, so that nobody
    picks the pictures by hand.

    Args:
        scores: of one test set, slices in its order.
        n_even: how many further slices at even distances, the ends left out.

    Returns:
        Reason for each (subject, slice): first the ranked ones, then those at even distances in
        the test set's order. A slice chosen twice keeps its first place and reason.
    """
    whole = [score for score in scores if score.region == IMAGE]
    last = order_methods(score.method for score in whole)[-1]
    in_order = [score for score in whole if score.method == last]
    ranked = sorted(in_order, key=lambda score: score.ssim)
    chosen = [
        *zip(_WORST, _worst_of_subjects(ranked), strict=False),  # fewer where subjects are
        ("median SSIM", ranked[len(ranked) // 2]),
        ("best SSIM", ranked[-1]),
    ]
    reasons: dict[tuple[str, int], str] = {}
    for reason, score in chosen:
        reasons.setdefault((score.subject, score.slice), reason)
    for part in range(1, n_even + 1):
        score = in_order[len(in_order) * part // (n_even + 1)]
        reasons.setdefault((score.subject, score.slice), _BY_PLACE)
    return reasons


def _worst_of_subjects(ranked: Sequence[SliceScore]) -> list[SliceScore]:
    """Give each subject's worst slice, the worst first."""
    worst: dict[str, SliceScore] = {}
    for score in ranked:
        worst.setdefault(score.subject, score)
    return list(worst.values())


def collect_examples(
    reconstructors: Sequence[Reconstructor],
    dataset: SliceDataset,
    evaluation: Evaluation,
    *,
    batch_size: int,
    device: torch.device,
    n_even: int = 3,
) -> list[Example]:
    """Reconstruct the chosen slices once more and keep their images.

    Masks and noise belong to a slice, so these are the images that were scored.

    Args:
        reconstructors: those that were evaluated, on `device`.
        dataset: the one that was evaluated.
        evaluation: its result; gives sampling, seed and scores.
        batch_size: slices read at once.
        device: where to compute.
        n_even: see `choose_slices`.

    Returns:
        The examples in the order of `choose_slices`.
    """
    reasons = choose_slices(evaluation.scores, n_even=n_even)
    examples: dict[tuple[str, int], Example] = {}
    raw_batches = dataset.batches(batch_size, seed=evaluation.seed, epoch=0, shuffle=False)
    for batch in reconstruct_batches(
        reconstructors,
        _chosen_only(raw_batches, reasons, dataset),
        evaluation.sampling,
        seed=evaluation.seed,
        device=device,
        simulation=evaluation.simulation,
    ):
        examples |= _pick(batch, reasons, dataset, evaluation.scores)
    return [examples[key] for key in reasons]


def _chosen_only(
    batches: Iterable[RawBatch], reasons: dict[tuple[str, int], str], dataset: SliceDataset
) -> Iterator[RawBatch]:
    """Take the chosen slices out of each batch; a batch without one is left out."""
    for raw in batches:
        pairs = zip(raw.volumes.tolist(), raw.slices.tolist(), strict=True)
        names = [(dataset.store.subjects[volume].name, index) for volume, index in pairs]
        rows = [row for row, key in enumerate(names) if key in reasons]
        if rows:
            yield raw.take(rows)


def _pick(
    batch: ReconstructedBatch,
    reasons: dict[tuple[str, int], str],
    dataset: SliceDataset,
    scores: Sequence[SliceScore],
) -> dict[tuple[str, int], Example]:
    """Copy the chosen slices of a batch to the host."""
    picked = {}
    for row, (volume, index) in enumerate(zip(batch.volumes, batch.slices, strict=True)):
        key = dataset.store.subjects[volume].name, index
        if key in reasons:
            picked[key] = Example(
                subject=key[0],
                slice=index,
                reason=reasons[key],
                is_ranked=reasons[key] != _BY_PLACE,
                target=_to_host(batch.target[row]),
                images={method: _to_host(image[row]) for method, image in batch.images.items()},
                mask=_to_host(batch.masks[row]),
                scores={
                    s.method: s for s in scores if (s.subject, s.slice) == key and s.region == IMAGE
                },
            )
    return picked


def _to_host(image: Tensor) -> Tensor:
    return image.detach().to("cpu", copy=True).contiguous()
