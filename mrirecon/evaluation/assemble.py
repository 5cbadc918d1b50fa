"""Put the finished pieces of one cell together: every method's scores of the same measurements."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from mrirecon.data import SliceDataset
from mrirecon.evaluation.grid import Cell
from mrirecon.evaluation.methods import MethodName
from mrirecon.evaluation.run import Evaluation, without_blank
from mrirecon.evaluation.scores import SliceScore
from mrirecon.evaluation.tasks import Finished, Source
from mrirecon.evaluation.throughput import Throughput
from mrirecon.metrics import Protocol
from mrirecon.sampling import (
    CLINICAL_3T,
    AcquisitionConfig,
    Undersampling,
    check_feasibility,
)


def assemble(
    cell: Cell,
    sources: Sequence[Source],
    finished: Sequence[Finished],
    dataset: SliceDataset,
    *,
    protocol: Protocol,
    acquisition: AcquisitionConfig,
    name: str,
    description: str,
) -> Evaluation:
    """Join what each source of images scored in one cell.

    Args:
        cell: of all pieces.
        sources: of the pieces; networks of several runs get their run's name.
        finished: one for each source.
        dataset: that was scored.
        protocol: that was scored by.
        acquisition: what the scan repeats, for its time.
        name: of the test set.
        description: of the test set.

    Returns:
        The evaluation; slices in the dataset's order, of each every method in its order.

    Raises:
        ValueError: the split has no slice with an image.
    """
    runs: dict[MethodName, str] = {}
    throughput: dict[tuple[MethodName, ...], Throughput] = {}
    named: list[list[SliceScore]] = []
    n_runs = sum(1 for source in sources if source.run)
    for source, piece in zip(sources, finished, strict=True):
        suffix = f" ({source.run})" if source.run and n_runs > 1 else ""
        scores = [replace(score, method=score.method + suffix) for score in piece.scores]
        methods = tuple(dict.fromkeys(score.method for score in scores))
        throughput[methods] = piece.throughput
        runs |= dict.fromkeys(methods, source.run) if source.run else {}
        named.append(scores)
    kept = without_blank(_by_slice(named), protocol)
    if not kept:
        raise ValueError(f"{name}: expected at least one slice with an image, got none")
    return Evaluation(
        name=name,
        description=description,
        protocol=protocol,
        cell=cell,
        is_simulated=dataset.store.is_simulated,
        scores=with_scan_times(kept, dataset, cell.sampling, acquisition),
        n_blank=len(dataset) - len({(score.subject, score.slice) for score in kept}),
        seconds=math.fsum(piece.throughput.seconds for piece in finished),
        classical={s.method: s.config for s in sources if s.config is not None},
        runs=runs,
        throughput=throughput,
    )


def with_scan_times(
    scores: Sequence[SliceScore],
    dataset: SliceDataset,
    sampling: Undersampling,
    acquisition: AcquisitionConfig,
) -> list[SliceScore]:
    """Add to each score the time of its slice's scan, where that is defined."""
    times = {
        subject.name: scan_time(sampling, (subject.shape[-2], subject.shape[-1]), acquisition)
        for subject in dataset.store.subjects
    }
    return [replace(score, scan_time=times[score.subject]) for score in scores]


@lru_cache(maxsize=64)
def scan_time(
    sampling: Undersampling, shape: tuple[int, int], acquisition: AcquisitionConfig
) -> float | None:
    """Time the scan of one slice, or of the acquisition's slab, [s].

    Excitations times repetition time, whatever the scanner's limits are.

    Returns:
        None for points of a plane in a 2-D scan, which no readout measures.
    """
    found = check_feasibility(sampling, shape, acquisition, CLINICAL_3T)
    return found.scan_time if acquisition.is_3d or found.is_2d_acquirable else None


def _by_slice(pieces: Sequence[Sequence[SliceScore]]) -> list[SliceScore]:
    """Sort by slice, in the first piece's order; within a slice as the pieces come."""
    groups: dict[tuple[str, int], list[SliceScore]] = {}
    for piece in pieces:
        for score in piece:
            groups.setdefault((score.subject, score.slice), []).append(score)
    return [score for group in groups.values() for score in group]
