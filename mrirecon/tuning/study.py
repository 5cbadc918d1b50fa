"""Run trial after trial, remember each, and go on where a stopped study was.

Optuna proposes (Akiba et al. 2019, 10.1145/3292500.3330701; tree-structured Parzen estimator,
Bergstra et al. 2011) and stops trials that fall behind the median of the earlier ones.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from mrirecon.config import RunConfig, parse_config, save_config
from mrirecon.files import atomic_path
from mrirecon.tuning.space import Choice, Range, Space

Report = Callable[[int, float], None]
"""Called with the steps done and a validation's score; raises where the trial is not worth more."""
RunTrial = Callable[[Path, RunConfig, Report], None]
"""Trains in a folder, going on where a stopped trial was, and reports every validation."""

DATABASE = "study.db"
BEST = "best.yaml"
TRIALS = "trials.csv"
_RESUMES = "resumes"
_ERROR = "error"
_STARTUP_TRIALS = 4  # drawn at random, and never stopped early: the model needs something to go by


@dataclass(frozen=True)
class Tuned:
    """The outcome of a study.

    Attributes:
        study: Optuna's, with all trials.
        number: of the best trial.
        value: its best validation score.
        config: its configuration.
    """

    study: optuna.Study
    number: int
    value: float
    config: RunConfig


def tune(
    folder: Path,
    base: RunConfig,
    space: Space,
    run_trial: RunTrial,
    *,
    n_trials: int,
    seed: int,
    tell: Callable[[str], None],
) -> Tuned:
    """Try configurations until there are `n_trials` results, and write the best one.

    A study that was stopped, at any moment, goes on when it is called again: the trial that it
    was stopped in is taken up in its folder.

    Args:
        folder: of the study: study.db, trials/NNNN, trials.csv and best.yaml.
        base: what every trial has in common.
        space: what varies.
        run_trial: trains one.
        n_trials: results in all, earlier ones and those stopped early included.
        seed: of the proposals.
        tell: prints a line for each trial.

    Returns:
        The best trial.

    Raises:
        ValueError: a key of `space` is not one of the configuration, a proposed value does not
            fit it, or no trial came to a result.
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for end in (_lowest, _highest):  # both ends fit the configuration, or nothing starts
        _configure(base, {key: end(entry) for key, entry in space.items()})
    study = _open_study(folder)
    _take_up_stopped(study)
    while _n_results(study) < n_trials:
        study.sampler = optuna.samplers.TPESampler(
            seed=seed + len(study.trials), n_startup_trials=_STARTUP_TRIALS
        )
        trial = study.ask()
        _run_one(study, trial, folder, base, space, run_trial)
        tell(_describe(study.trials[trial.number]))
        _write_trials(folder / TRIALS, study, space)
    return _finish(folder, base, study)


def _open_study(folder: Path) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        study_name="mrirecon",
        storage=f"sqlite:///{(folder / DATABASE).resolve()}",
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP_TRIALS),
        load_if_exists=True,
    )


def _take_up_stopped(study: optuna.Study) -> None:
    """Queue trials again that a stopped study left unfinished, with the folder they have."""
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        if trial.params:
            first = trial.user_attrs.get(_RESUMES, trial.number)
            study.enqueue_trial(trial.params, user_attrs={_RESUMES: first})


def _n_results(study: optuna.Study) -> int:
    ended = (TrialState.COMPLETE, TrialState.PRUNED)
    failed = [t for t in study.get_trials(deepcopy=False) if _ERROR in t.user_attrs]
    return len(study.get_trials(deepcopy=False, states=ended)) + len(failed)


def _run_one(  # noqa: PLR0917
    study: optuna.Study,
    trial: Trial,
    folder: Path,
    base: RunConfig,
    space: Space,
    run_trial: RunTrial,
) -> None:
    """Train one trial and tell the study what came of it."""
    config = _configure(base, {key: _suggest(trial, key, entry) for key, entry in space.items()})
    scores: list[float] = []

    def report(step: int, score: float) -> None:
        scores.append(score)
        trial.report(score, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        run_trial(trial_folder(folder, trial), config, report)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except ValueError as error:  # such as a loss that is not finite
        trial.set_user_attr(_ERROR, str(error))
        study.tell(trial, state=TrialState.FAIL)
    else:
        if not scores:
            raise ValueError("store: expected a val split to compare trials by, got none")
        study.tell(trial, max(scores))


def trial_folder(folder: Path, trial: Trial | FrozenTrial) -> Path:
    """Give a trial's run folder; a trial that was taken up again keeps its first."""
    number = trial.user_attrs.get(_RESUMES, trial.number)
    return folder / "trials" / f"{number:04d}"


def _suggest(trial: Trial, key: str, entry: Range | Choice) -> Any:
    if isinstance(entry, Choice):
        return trial.suggest_categorical(key, entry.values)
    if entry.is_whole:
        return trial.suggest_int(key, int(entry.low), int(entry.high), log=entry.log)
    return trial.suggest_float(key, entry.low, entry.high, log=entry.log)


def _configure(base: RunConfig, values: dict[str, Any]) -> RunConfig:
    """Set keys of a configuration and check it as a whole."""
    settled = base.model_dump(mode="json")
    for key, value in values.items():
        *parents, last = key.split(".")
        level = settled
        for parent in parents:
            level = level.setdefault(parent, {})
            if not isinstance(level, dict):
                raise ValueError(f"{key}: expected a key of the configuration, got one below none")
        level[last] = value
    return parse_config(settled, name="search space")


def _lowest(entry: Range | Choice) -> Any:
    return entry.values[0] if isinstance(entry, Choice) else entry.low


def _highest(entry: Range | Choice) -> Any:
    return entry.values[-1] if isinstance(entry, Choice) else entry.high


def _describe(trial: FrozenTrial) -> str:
    values = ", ".join(f"{key} {_short(value)}" for key, value in trial.params.items())
    if trial.state == TrialState.COMPLETE:
        return f"trial {trial.number}: {trial.value:.4f} ({values})"
    if trial.state == TrialState.PRUNED:
        return f"trial {trial.number}: stopped early ({values})"
    return f"trial {trial.number}: failed, {trial.user_attrs.get(_ERROR)} ({values})"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _write_trials(path: Path, study: optuna.Study, space: Space) -> None:
    with atomic_path(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["trial", "state", "value", *space])
        for trial in study.trials:
            values = [trial.params.get(key, "") for key in space]
            table.writerow([trial.number, trial.state.name.lower(), trial.value, *values])


def _finish(folder: Path, base: RunConfig, study: optuna.Study) -> Tuned:
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        errors = [t.user_attrs[_ERROR] for t in study.trials if _ERROR in t.user_attrs]
        raise ValueError(f"trials: expected one that ends, got none; the last: {errors[-1:]}")
    best = study.best_trial
    config = _configure(base, best.params)
    save_config(config, folder / BEST)
    return Tuned(study, best.number, study.best_value, config)
