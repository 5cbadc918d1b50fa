"""What the trainer is handed to validate by: scores and pictures of the val split."""

from collections.abc import Callable

import torch
from torch import Tensor

from mrirecon.cli.runs import EVALUATION_BATCH
from mrirecon.config import RunConfig
from mrirecon.data import SliceDataset, SliceStore
from mrirecon.evaluation import (
    LAYOUT,
    MethodName,
    MetricName,
    aggregate,
    evaluate,
    reconstruct_strips,
    unit_scores,
)
from mrirecon.metrics import get_protocol
from mrirecon.models import Generator, ready_for_use
from mrirecon.sampling import Undersampling, named_patterns
from mrirecon.training import network_dtype

VALIDATION_PROTOCOL = "per_slice"
VALIDATED: MethodName = "network + data consistency"
VALIDATED_METRICS: tuple[MetricName, ...] = ("ssim", "psnr")


def validation(
    store: SliceStore,
    config: RunConfig,
    device: torch.device,
    follow: Callable[[int, dict[str, float]], None] | None,
) -> Callable[[Generator, int], dict[str, float]]:
    """Return what the trainer calls to score the averaged generator on the val split.

    A mixture is scored pattern by pattern: the scores are their means, and each by its name.
    """
    dataset = SliceDataset(store, "val")
    dtype = network_dtype(config.training.precision, device)

    def validate(generator: Generator, step: int) -> dict[str, float]:
        ready = ready_for_use(generator, dtype, device)
        scores = {
            name: _score(ready, dataset, sampling, config, device)
            for name, sampling in named_patterns(config.undersampling).items()
        }
        named: dict[str, float] = {
            metric: sum(score[metric] for score in scores.values()) / len(scores)
            for metric in VALIDATED_METRICS
        }
        if len(scores) > 1:
            for name, score in scores.items():
                named |= {f"{metric} of {name}": score[metric] for metric in VALIDATED_METRICS}
        if follow:
            follow(step, named)
        return named

    return validate


def picturing(
    store: SliceStore, config: RunConfig, device: torch.device
) -> Callable[[Generator], dict[str, Tensor]]:
    """Return what the trainer calls for pictures of a few slices of the val split.

    Of a mixture the slices are shown pattern by pattern.
    """
    dataset = SliceDataset(store, "val")
    dtype = network_dtype(config.training.precision, device)
    patterns = named_patterns(config.undersampling)

    def show(generator: Generator) -> dict[str, Tensor]:
        pictures: dict[str, Tensor] = {}
        ready = ready_for_use(generator, dtype, device)
        for pattern, sampling in patterns.items():
            place = LAYOUT if len(patterns) == 1 else f"{LAYOUT}/{pattern}"
            strips = reconstruct_strips(
                ready,
                dataset,
                sampling,
                seed=config.training.seed,
                device=device,
                simulation=config.training.simulation,
            )
            pictures |= {f"{place}/{name}": strip for name, strip in strips.items()}
        return pictures

    return show


def _score(
    generator: Generator,
    dataset: SliceDataset,
    sampling: Undersampling,
    config: RunConfig,
    device: torch.device,
) -> dict[MetricName, float]:
    """Score a generator on one pattern, by the mean over slices or subjects."""
    protocol = get_protocol(VALIDATION_PROTOCOL)
    evaluation = evaluate(
        generator,
        dataset,
        sampling,
        seed=config.training.seed,
        protocol=protocol,
        batch_size=EVALUATION_BATCH,
        device=device,
        simulation=config.training.simulation,
    )
    statistics = aggregate(unit_scores(evaluation.scores, protocol))
    return {metric: statistics[VALIDATED][metric].mean for metric in VALIDATED_METRICS}
