"""When a run has diverged, and going back to its last checkpoint once."""

from collections import deque
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import torch

from mrirecon.data import RawBatch
from mrirecon.training.checkpoint import last_checkpoint, load_checkpoint
from mrirecon.training.config import TrainingConfig
from mrirecon.training.log import Record
from mrirecon.training.state import TrainingState
from mrirecon.training.tensors import model_tensors

WINDOW = 50  # steps whose median a loss is held against
_FEWEST = 10  # steps before the first judgement; the first ones of a run fall by magnitudes


class DivergedError(ValueError):
    """A loss or a weight is NaN or infinite, or the loss exploded.

    Attributes:
        step: the step that gave it.
        epoch: its epoch.
        batch: the slices of that step; None where weights were found to be not finite.
    """

    def __init__(
        self, problem: str, step: int, epoch: int = 0, batch: RawBatch | None = None
    ) -> None:
        super().__init__(problem)
        self.step = step
        self.epoch = epoch
        self.batch = batch


class ExplosionWatch:
    """Hold each loss against the median of those before it.

    Args:
        factor: a loss this many times the median has exploded; None takes any.
        records: of the steps before, so that a resumed run judges as one that was never stopped.
    """

    def __init__(self, factor: float | None, records: Iterable[Record] = ()) -> None:
        self._factor = factor
        self._recent: deque[float] = deque(maxlen=WINDOW)
        for record in records:
            if "loss" in record:
                self._recent.append(abs(record["loss"]))

    def problem(self, record: Record) -> str | None:
        """Take the record of a step; return what is wrong with its loss, in one line."""
        usual = median(self._recent) if len(self._recent) >= _FEWEST else 0.0
        loss = abs(record["loss"])
        self._recent.append(loss)
        if self._factor is None or usual == 0 or loss <= self._factor * usual:
            return None
        return (
            f"loss: expected at most {self._factor:g} times {usual:.4g}, the median of the steps "
            f"before, at step {record['step']}, got {loss:.4g}"
        )


def require_finite_weights(state: TrainingState) -> None:
    """Refuse weights that are NaN or infinite.

    Raises:
        DivergedError: names the first of them.
    """
    for name, tensor in model_tensors(state).items():
        if not torch.isfinite(tensor).all():
            problem = f"{name}: expected finite weights after step {state.step}, got NaN"
            raise DivergedError(problem, state.step)


def roll_back(
    checkpoints: Path, state: TrainingState, config: TrainingConfig, error: DivergedError
) -> str:
    """Put the last checkpoint into the state, from which it goes on with half the learning rates.

    Args:
        checkpoints: folder of the run's checkpoints.
        state: changed in place.
        config: of the run.
        error: how it diverged.

    Returns:
        What was done, in one line.

    Raises:
        DivergedError: `error`, where the run is to stop, rolled back before, or saved nothing yet.
    """
    last = last_checkpoint(checkpoints)
    if config.on_divergence == "stop" or last is None or state.n_rollbacks > 0:
        raise error
    load_checkpoint(last, state, config)
    state.n_rollbacks += 1
    return f"{error}; rolled back to step {state.step}, to go on with half the learning rates"
