"""Show how a study went, and which of its parameters mattered.

Importance: PED-ANOVA (Watanabe et al. 2023, 10.24963/ijcai.2023/488), the share of the variance
among good trials that one parameter explains.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

from mrirecon.files import atomic_path

_INK, _BEST, _LINE = "#3a6ea5", "#c2543f", "#d8dee4"


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
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    best_place = int(values.argmax())
    axes.annotate(
        f"trial {numbers[best_place]}: {values[best_place]:.4g}",
        (numbers[best_place], values[best_place]),
        xytext=(0, 6),
        textcoords="offset points",
        ha="center",
        color=_BEST,
    )
    axes.margins(y=0.12)
    _tidy(axes, "y")
    axes.legend(frameon=False)


def _draw_importance(study: optuna.Study, axes: Axes) -> None:
    names, values = zip(*reversed(parameter_importance(study).items()), strict=True)
    bars = axes.barh(names, values, color=_INK, height=0.5)
    axes.bar_label(bars, [f"{value:.0%}" for value in values], padding=4)
    axes.set(xlabel="share of the good trials' variance", xlim=(0, 1.1 * max(values)))
    _tidy(axes, "x")


def _tidy(axes: Axes, grid_axis: Literal["x", "y"]) -> None:
    """Leave out the frame, and draw faint lines behind to read values by."""
    axes.grid(axis=grid_axis, color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def parameter_importance(study: optuna.Study) -> dict[str, float]:
    """Give each parameter's share, largest first; equal shares where trials are too few to tell."""
    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    names = list(ended[0].params)
    if len(ended) < 4 or len(names) < 2:
        return dict.fromkeys(names, 1 / len(names))
    return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
