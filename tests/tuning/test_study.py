"""A study finds what it should, goes on after a stop, and survives trials that fail."""

import csv
import math
from pathlib import Path

import pytest
from PIL import Image

from mrirecon.config import RunConfig, load_config
from mrirecon.tuning import Choice, Range, Report, Space, draw_study, tune
from mrirecon.tuning.pictures import parameter_importance

SPACE: Space = {
    "training.learning_rate": Range(1e-6, 1e-1, log=True),
    "generator.network.width": Choice((8, 16)),
}
BASE = RunConfig(store=Path("store.h5"))


def exponent(config: RunConfig) -> float:
    """How far the learning rate is from 1e-3, in powers of ten."""
    return abs(math.log10(config.training.learning_rate) + 3)


def pretend(_folder: Path, config: RunConfig, report: Report) -> None:
    """Score a trial by its configuration: best at 1e-3, and at width 16 by a little."""
    for step in (10, 20, 30):
        report(step, -exponent(config) + 0.01 * (config.generator.network.width == 16) - 1 / step)


def test_the_best_trial_is_found_and_written(tmp_path: Path) -> None:
    told: list[str] = []
    tuned = tune(tmp_path, BASE, SPACE, pretend, n_trials=20, seed=1, tell=told.append)
    assert exponent(tuned.config) < 0.5
    assert load_config(tmp_path / "best.yaml") == tuned.config
    with (tmp_path / "trials.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == len(told) == 20
    assert max(float(row["value"]) for row in rows if row["value"]) == tuned.value
    assert any(row["state"] == "pruned" for row in rows)
    importance = parameter_importance(tuned.study)
    assert importance["training.learning_rate"] > importance["generator.network.width"]
    draw_study(tuned.study, tmp_path / "study.png")
    with Image.open(tmp_path / "study.png") as picture:
        assert picture.size[0] > 800


def test_equal_seeds_propose_equal_trials(tmp_path: Path) -> None:
    values = [
        tune(tmp_path / n, BASE, SPACE, pretend, n_trials=6, seed=3, tell=print).study.trials
        for n in ("a", "b")
    ]
    assert [t.params for t in values[0]] == [t.params for t in values[1]]


def test_a_stopped_study_goes_on_within_its_trial(tmp_path: Path) -> None:
    """The third trial is stopped; the study that goes on trains it in the folder it had."""
    seen: list[tuple[str, float]] = []

    def stop_once(folder: Path, config: RunConfig, report: Report) -> None:
        seen.append((folder.name, config.training.learning_rate))
        if len(seen) == 3:
            raise KeyboardInterrupt
        pretend(folder, config, report)

    with pytest.raises(KeyboardInterrupt):
        tune(tmp_path, BASE, SPACE, stop_once, n_trials=4, seed=1, tell=print)
    tuned = tune(tmp_path, BASE, SPACE, stop_once, n_trials=4, seed=1, tell=print)
    assert seen[3] == seen[2]
    assert len(seen) == 5
    assert len([t for t in tuned.study.trials if t.value is not None]) == 4
    again = tune(tmp_path, BASE, SPACE, stop_once, n_trials=4, seed=1, tell=print)
    assert (len(seen), again.value) == (5, tuned.value)


def test_a_trial_that_diverges_is_told_and_the_study_goes_on(tmp_path: Path) -> None:
    told: list[str] = []

    def diverge(folder: Path, config: RunConfig, report: Report) -> None:
        if config.training.learning_rate > 1e-3:
            raise ValueError("loss: expected a finite number at step 3, got nan")
        pretend(folder, config, report)

    tuned = tune(tmp_path, BASE, SPACE, diverge, n_trials=8, seed=0, tell=told.append)
    assert len(told) == 8
    assert any("failed, loss: expected a finite number at step 3" in line for line in told)
    assert tuned.config.training.learning_rate <= 1e-3


def test_a_study_in_which_all_trials_fail_says_why(tmp_path: Path) -> None:
    def fail(_folder: Path, _config: RunConfig, _report: Report) -> None:
        raise ValueError("loss: expected a finite number")

    with pytest.raises(ValueError, match="trials: expected one that ends, got none; the last: "):
        tune(tmp_path, BASE, SPACE, fail, n_trials=2, seed=0, tell=print)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"training.rate": Range(1, 2)}, "search space: unknown key training.rate"),
        ({"training.steps": Range(0, 2)}, "search space: training.steps: expected 1 or more"),
        ({"store.path": Range(0, 2)}, "store.path: expected a key of the configuration"),
    ],
)
def test_a_space_that_does_not_fit_starts_nothing(
    tmp_path: Path, space: Space, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        tune(tmp_path / "study", BASE, space, pretend, n_trials=1, seed=0, tell=print)
    assert not (tmp_path / "study" / "study.db").exists()


def test_a_study_without_validation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="store: expected a val split to compare trials by"):
        tune(tmp_path, BASE, SPACE, lambda *_: None, n_trials=1, seed=0, tell=print)
