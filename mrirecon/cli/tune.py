"""`mrirecon tune`: try configurations, and write the one that validates best."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.table import Table

from mrirecon.cli.runs import choose_device
from mrirecon.cli.terminal import console, say
from mrirecon.cli.train import train_run
from mrirecon.config import RunConfig, load_config
from mrirecon.training import alone
from mrirecon.training.log import METRICS, read_records
from mrirecon.tuning import Report, draw_study, read_space
from mrirecon.tuning import tune as run_study
from mrirecon.tuning.pictures import parameter_importance
from mrirecon.tuning.study import BEST


def tune(
    folder: Annotated[Path, typer.Argument(help="Folder of the study; made where it is missing.")],
    space: Annotated[
        Path, typer.Option(help="YAML file: configuration keys with a list or low, high, log.")
    ],
    store: Annotated[
        Path | None, typer.Option(help="Store made by `mrirecon prepare`; overrides the file's.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML file of what all trials have in common.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="One key of it: `training.steps=500`.")
    ] = None,
    trials: Annotated[int, typer.Option(help="Results in all, earlier ones included.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the proposals.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:n].")] = "auto",
) -> None:
    """Search learning rates, widths, loss weights: whatever the configuration has.

    Trials are compared by the validation score `training.best_by`; those behind the median of the
    earlier ones are stopped early. Called again after a stop, the study goes on, also within a
    trial. Writes best.yaml, which `mrirecon train --config` takes, trials.csv and study.png.
    """
    if trials < 1:
        raise ValueError(f"--trials: expected 1 or more, got {trials}")
    settings = [] if store is None else [f"store={store}"]
    base = load_config(config, settings + (overrides or []))
    chosen = choose_device(device)

    def run_trial(run: Path, trial: RunConfig, report: Report) -> None:
        train_trial(run, trial, report, chosen)

    tuned = run_study(
        folder, base, read_space(space), run_trial, n_trials=trials, seed=seed, tell=say
    )
    draw_study(tuned.study, folder / "study.png")
    table = Table(title=f"best: trial {tuned.number}, {base.training.best_by} {tuned.value:.4f}")
    for heading in ("parameter", "value", "importance"):
        table.add_column(heading)
    for name, share in parameter_importance(tuned.study).items():
        table.add_row(name, str(tuned.study.best_trial.params[name]), f"{share:.2f}")
    console.print(table)
    say(f"train with it: mrirecon train runs/best --config {folder / BEST}")


def train_trial(run: Path, config: RunConfig, report: Report, device: torch.device) -> None:
    """Train one trial, from its last checkpoint where it was stopped, reporting validations."""
    name = config.training.best_by
    resume = (run / METRICS).exists()
    if resume:
        for record in read_records(run / METRICS):
            if f"validation.{name}" in record:
                report(record["step"], record[f"validation.{name}"])

    def follow(step: int, scores: dict[str, float]) -> None:
        report(step, scores[name])

    train_run(run, config, alone(device), resume=resume, follow=follow)
