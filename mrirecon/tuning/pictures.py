"""Show how a study went, and which of its parameters mattered.

Importance: PED-ANOVA (Watanabe et al. 2023, 10.24963/ijcai.2023/488), the share of the variance
among good trials that one parameter explains.
"""

from pathlib import Path

import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

from mrirecon.files import atomic_path

_INK, _BEST = "#3a6ea5", "#c2543f"


def draw_study(study: optuna.Study, path: Path) -> None:
    """Draw the score of each trial, the best so far, and the parameters' importance.

    Args:
        study: with a trial that ended, at least.
        path: .png file to write.

    Raises:
        OSError: the file cannot be written.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    history, importance = figure.subplots(1, 2)
    _draw_history(study, history)
    _draw_importance(study, importance)
    with atomic_path(path) as partial:
        figure.savefig(partial, dpi=130)


def _draw_history(study: optuna.Study, axes: Axes) -> None:
    ended = study.get_trials(states=(TrialState.COMPLETE,))
    numbers = [trial.number for trial in ended]
    values = np.array([trial.value for trial in ended], dtype=float)
    axes.plot(numbers, values, "o", color=_INK, label="trial")
    best = np.maximum.accumulate(values)
    axes.step(numbers, best, where="post", color=_BEST, label="best so far")
    stopped = study.get_trials(states=(TrialState.PRUNED,))
    reported = [(t.number, max(t.intermediate_values.values())) for t in stopped]
    if reported:
        axes.plot(*zip(*reported, strict=True), "x", color="0.6", label="stopped early")
    axes.set(xlabel="trial", ylabel="validation score")
    axes.legend(frameon=False)


def _draw_importance(study: optuna.Study, axes: Axes) -> None:
    names, values = zip(*reversed(parameter_importance(study).items()), strict=True)
    axes.barh(names, values, color=_INK)
    axes.set(xlabel="importance", xlim=(0, None))


def parameter_importance(study: optuna.Study) -> dict[str, float]:
    """Give each parameter's share, largest first; equal shares where trials are too few to tell."""
    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    names = list(ended[0].params)
    if len(ended) < 4 or len(names) < 2:
        return dict.fromkeys(names, 1 / len(names))
    return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
