"""What `mrirecon evaluate` scores: runs and classical methods in every cell of a grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import torch

from mrirecon.cli.regularisation import choose_methods
from mrirecon.cli.runs import EVALUATION_BATCH, TrainedRun, choose_patterns
from mrirecon.cli.terminal import progress_bar
from mrirecon.evaluation import (
    Cell,
    Evaluation,
    Grid,
    Reconstructor,
    Region,
    Source,
    Task,
    TestSet,
    assemble,
    baselines,
    classical,
    collect_examples,
    finish_tasks,
    network,
)
from mrirecon.metrics import Protocol
from mrirecon.report import ReportTestSet

PARTS = "parts"
N_EXAMPLES, N_EXAMPLES_OF_MANY = 3, 0
"""Slices to show beside the worst, the median and the best: of one cell, of each of many."""


@dataclass(frozen=True)
class Plan:
    """Everything an evaluation does.

    Attributes:
        test_set: the slices.
        cells: the measurements.
        sources: what makes images, neither prior nor network first, networks last.
        grid: where the cells come from; gives the acquisition.
        protocol: how to score.
        description: of the test set.
        regions: scored beside whole images.
    """

    test_set: TestSet
    cells: Sequence[Cell]
    sources: Sequence[Source]
    grid: Grid
    protocol: Protocol
    description: str
    regions: tuple[Region, ...] = ()

    @property
    def name(self) -> str:
        """Name the test set."""
        limit = self.test_set.per_volume
        few = "" if limit is None else f", {limit} slices each"
        return f"{self.test_set.store.stem}, {self.test_set.split}{few}"


def grid_of_runs(runs: Sequence[TrainedRun], pattern: str | None) -> Grid:
    """Take what the runs were trained on: each run is scored on the samplings of all.

    Args:
        runs: whose samplings to take.
        pattern: name of one of several; None for all.

    Raises:
        ValueError: there is no run, a run has no such pattern, or simulations or seeds differ.
    """
    if not runs:
        raise ValueError("--grid: expected a grid where no run says how to undersample, got none")
    first = runs[0].config.training
    for run in runs[1:]:
        training = run.config.training
        if (training.simulation, training.seed) != (first.simulation, first.seed):
            raise ValueError(
                f"--grid: expected one for runs of different noise, phase, coils or seed "
                f"({runs[0].path}, {run.path}), got none"
            )
    found = [choose_patterns(run.config, pattern).values() for run in runs]
    sampling = tuple(dict.fromkeys(chain.from_iterable(found)))
    return Grid(sampling, (first.simulation,), seed=first.seed)


def choose_sources(
    runs: Sequence[TrainedRun], methods: Sequence[str], tuned: Path | None
) -> list[Source]:
    """List what makes images: zero-filling, then classical methods, then the runs."""
    own = runs[0].path if len(runs) == 1 else None
    names = _name_runs([run.path for run in runs])
    return [
        Source(),
        *(Source(name, config) for name, config in choose_methods(methods, tuned, own).items()),
        *(
            Source(run=name, checkpoint=run.checkpoint)
            for name, run in zip(names, runs, strict=True)
        ),
    ]


def score_cells(plan: Plan, folder: Path, device: torch.device) -> list[Evaluation]:
    """Score every source in every cell, keeping what is finished in the folder's parts."""
    tasks = [
        Task(plan.test_set, cell, source, plan.protocol, plan.regions)
        for cell in plan.cells
        for source in plan.sources
    ]
    dataset = plan.test_set.open()
    with dataset.store, progress_bar(f"scoring {plan.name}") as bar:
        shown = bar.add_task("", total=len(tasks) * len(dataset))
        finished = finish_tasks(
            tasks,
            folder / PARTS,
            batch_size=EVALUATION_BATCH,
            device=device,
            progress=lambda n_slices: bar.advance(shown, n_slices),
        )
        n = len(plan.sources)
        return [
            assemble(
                cell,
                plan.sources,
                finished[place * n : (place + 1) * n],
                dataset,
                protocol=plan.protocol,
                acquisition=plan.grid.acquisition,
                name=plan.name,
                description=plan.description,
            )
            for place, cell in enumerate(plan.cells)
        ]


def show_cells(
    plan: Plan,
    evaluations: Sequence[Evaluation],
    runs: Sequence[TrainedRun],
    device: torch.device,
) -> list[ReportTestSet]:
    """Make the pictures of each cell: worst, median and best slice, and some at even distances."""
    names = _name_runs([run.path for run in runs]) if len(runs) > 1 else [""] * len(runs)
    makers: list[Reconstructor] = [
        baselines,
        *(classical(s.method, s.config) for s in plan.sources if s.config is not None),
        *(network(run.generator, name) for name, run in zip(names, runs, strict=True)),
    ]
    dataset = plan.test_set.open()
    with dataset.store:
        return [
            ReportTestSet(
                evaluation,
                collect_examples(
                    makers,
                    dataset,
                    evaluation,
                    batch_size=EVALUATION_BATCH,
                    device=device,
                    n_even=N_EXAMPLES if len(evaluations) == 1 else N_EXAMPLES_OF_MANY,
                ),
            )
            for evaluation in evaluations
        ]


def _name_runs(paths: Sequence[Path]) -> list[str]:
    """Name runs by their folders, by the whole path where folders have one name."""
    names = [path.resolve().name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]
