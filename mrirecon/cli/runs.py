"""What the commands share: a device by name, a run folder with its model, one test set scored."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer

from mrirecon.cli.terminal import progress_bar
from mrirecon.config import RunConfig, load_config
from mrirecon.data import SliceDataset
from mrirecon.evaluation import baselines, collect_examples, evaluate, network
from mrirecon.metrics import Protocol
from mrirecon.models import Generator, ready_for_use
from mrirecon.report import ReportTestSet
from mrirecon.sampling import Undersampling, named_patterns
from mrirecon.training import (
    CheckpointChoice,
    Precision,
    choose_checkpoint,
    load_generator,
    network_dtype,
)

CONFIG = "config.yaml"
EVALUATION_BATCH = 8

CheckpointOption = Annotated[
    str, typer.Option("--checkpoint", help="best (by validation, where there was one) or last.")
]
PatternOption = Annotated[
    str | None,
    typer.Option("--pattern", help="One of several that the run was trained on, by its name."),
]


@dataclass(frozen=True)
class TrainedRun:
    """A run folder, its configuration, and its averaged generator with its checkpoint."""

    path: Path
    config: RunConfig
    generator: Generator
    checkpoint: Path


def choose_device(name: str) -> torch.device:
    """Return the device of that name; "auto" is the first GPU, or the CPU without one.

    Raises:
        ValueError: no such device, or CUDA is asked for and torch sees none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"--device: expected auto, cpu or cuda[:n], got {name!r}") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"--device: expected a device torch sees, got {name!r} and no GPU")
    return device


def checkpoint_choice(name: str) -> CheckpointChoice:
    """Read the option `--checkpoint`.

    Raises:
        ValueError: neither best nor last.
    """
    if name == "best":
        return "best"
    if name == "last":
        return "last"
    raise ValueError(f"--checkpoint: expected best or last, got {name!r}")


def load_run(
    path: Path,
    device: torch.device,
    *,
    choice: CheckpointChoice = "best",
    precision: Precision | None = None,
) -> TrainedRun:
    """Read a run folder.

    Args:
        path: the folder.
        device: where the generator goes.
        choice: the checkpoint validated best, or the last one; a run without validation has
            the last alone.
        precision: of the network's arithmetic; None computes as in training.

    Raises:
        OSError: no run there, or none of its checkpoints.
        ValueError: its configuration or its checkpoint is damaged.
    """
    if not (path / CONFIG).is_file():
        raise FileNotFoundError(f"{path}: no run here ({CONFIG} is missing); see mrirecon train")
    checkpoint = choose_checkpoint(path, choice)
    config = load_config(path / CONFIG)
    dtype = network_dtype(precision or config.training.precision, device)
    ready = ready_for_use(load_generator(checkpoint), dtype, device)
    return TrainedRun(path, config, ready, checkpoint)


def choose_patterns(config: RunConfig, name: str | None) -> dict[str, Undersampling]:
    """Return the undersamplings of a run by name, or the one that is asked for.

    Raises:
        ValueError: the run has no such pattern; names those it has.
    """
    patterns = named_patterns(config.undersampling)
    if name is None:
        return patterns
    if name not in patterns:
        raise ValueError(f"--pattern: expected one of {_listed(patterns)}, got {name!r}")
    return {name: patterns[name]}


def choose_pattern(config: RunConfig, name: str | None) -> Undersampling:
    """Return the one undersampling of a run, of several the one that is asked for.

    Raises:
        ValueError: no such pattern, or several and none is asked for; names those there are.
    """
    patterns = choose_patterns(config, name)
    if len(patterns) > 1:
        listed = _listed(patterns)
        raise ValueError(f"--pattern: expected one, since the run mixes {listed}, got none")
    return next(iter(patterns.values()))


def _listed(names: Iterable[str]) -> str:
    return "; ".join(repr(name) for name in names)


def score_test_set(
    run: TrainedRun,
    dataset: SliceDataset,
    *,
    protocol: Protocol,
    name: str,
    description: str,
    device: torch.device,
    sampling: Undersampling | None = None,
    n_examples: int = 3,
) -> ReportTestSet:
    """Evaluate a run on one split and keep slices to show.

    Args:
        run: what to evaluate.
        dataset: the split.
        protocol: how to score.
        name: of the test set.
        description: what the data are.
        device: where to compute; the generator is there already.
        sampling: how to undersample; None for the run's own, where it has one alone.
        n_examples: slices to show beside the worst, the median and the best.
    """
    training = run.config.training
    with progress_bar(f"scoring {name}") as bar:
        task = bar.add_task("", total=len(dataset))
        evaluation = evaluate(
            run.generator,
            dataset,
            sampling or choose_pattern(run.config, None),
            seed=training.seed,
            protocol=protocol,
            batch_size=EVALUATION_BATCH,
            device=device,
            name=name,
            description=description,
            simulation=training.simulation,
            progress=lambda done, _total: bar.update(task, completed=done),
        )
    examples = collect_examples(
        [baselines, network(run.generator)],
        dataset,
        evaluation,
        batch_size=EVALUATION_BATCH,
        device=device,
        n_even=n_examples,
    )
    return ReportTestSet(evaluation, examples)
