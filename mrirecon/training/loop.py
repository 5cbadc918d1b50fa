"""The turns of a training run: take a step, write, validate, save, and tell where time went."""

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from mrirecon.data import RawBatch, SliceDataset
from mrirecon.models import Generator
from mrirecon.sampling import MixtureConfig, Undersampling
from mrirecon.training.balance import BalanceMonitor
from mrirecon.training.batch import measure_batch
from mrirecon.training.best import BestScore
from mrirecon.training.checkpoint import mark_best, save_checkpoint
from mrirecon.training.config import TrainingConfig
from mrirecon.training.divergence import (
    DivergedError,
    ExplosionWatch,
    require_finite_weights,
)
from mrirecon.training.failure import save_diverged
from mrirecon.training.ledger import Ledger
from mrirecon.training.log import METRICS, RunLog, read_records
from mrirecon.training.progress import TrainingProgress
from mrirecon.training.ranks import Ranks
from mrirecon.training.recorder import Recorder
from mrirecon.training.schedule import learning_rate_factor, step_seed
from mrirecon.training.state import TrainingState
from mrirecon.training.step import training_step

CHECKPOINTS = "checkpoints"

Validate = Callable[[Generator, int], dict[str, float]]
Show = Callable[[Generator], dict[str, Tensor]]


class Loop:
    """What one training run goes through again and again, in the order of `train`."""

    def __init__(  # noqa: PLR0917
        self,
        run: Path,
        state: TrainingState,
        sampling: Undersampling | MixtureConfig,
        config: TrainingConfig,
        ranks: Ranks,
        log: RunLog,
        progress: TrainingProgress,
    ) -> None:
        self._run = run
        self._state = state
        self._sampling = sampling
        self._config = config
        self._ranks = ranks
        self._log = log
        self._ledger = Ledger(ranks.device)
        records = read_records(run / METRICS)
        self.recorder = Recorder(
            log,
            progress,
            config,
            self._ledger,
            ranks,
            balance=BalanceMonitor(config.losses.adversarial_kind, records),
            explosion=ExplosionWatch(config.explosion, records),
            step=state.step,
        )
        self.best = BestScore(config.best_by, config.patience, records)

    def batches(self, dataset: SliceDataset, n_batches: int) -> Iterator[tuple[int, RawBatch]]:
        """Hand out epoch and batch of each step that is left; the waiting is counted."""
        if self._ranks.from_first(self.best.is_exhausted)[0]:
            return
        batches = _batches(dataset, self._config, self._state.step, n_batches)
        while True:
            with self._ledger.phase("data"):
                following = next(batches, None)
            if following is None:
                return
            yield following

    def step(self, epoch: int, batch: RawBatch) -> None:
        """Undersample a batch, update the networks, and keep the loss terms."""
        state, config = self._state, self._config
        torch.manual_seed(step_seed(config.seed, state.step, self._ranks.rank))
        rate = config.learning_rate * _set_learning_rates(state, config)
        with self._ledger.phase("copy"):
            moved = batch.to(self._ranks.device)
        with self._ledger.phase("sampling"):
            parts = measure_batch(moved, self._sampling, config, step=state.step, epoch=epoch)
        terms = training_step(state, parts, config, self._ledger, self._ranks)
        state.step += 1
        record = {"step": state.step, "epoch": epoch, "learning_rate": rate}
        self.recorder.add(record, terms, batch)

    def write(self) -> None:
        """Write the loss terms since the last call; keep the batch of a loss that is not finite.

        Raises:
            DivergedError: a term is NaN or infinite, or the loss exploded; names step, term and
                the file of its batch.
        """
        try:
            self.recorder.write()
        except DivergedError as error:
            kept = save_diverged(self._run, error, self._sampling, self._config, self._ranks.device)
            raise DivergedError(f"{error}; the batch is in {kept}", error.step) from None

    def validate(self, validate: Validate, show: Show | None = None) -> tuple[bool, bool]:
        """Score the averaged generator; is it the best so far, and has the run had enough?"""
        self.write()
        is_best = False
        with self._ledger.phase("validation"):
            if self._ranks.is_first:
                scores = validate(self._state.average, self._state.step)
                self._state.average.eval()
                self.recorder.validation(self._state.step, scores)
                if self._log.board and show:
                    self._log.board.images(self._state.step, show(self._state.average))
                is_best = self.best.update(self._state.step, scores)
            is_best, has_enough = self._ranks.from_first(is_best, self.best.is_exhausted)
        return is_best, has_enough

    def save(self, *, is_best: bool) -> None:
        """Put log and state on the disk."""
        self.write()
        with self._ledger.phase("saving"):
            require_finite_weights(self._state)
            self._log.sync()
            if not self._ranks.is_first:
                return
            path = save_checkpoint(self._run / CHECKPOINTS, self._state, self._config)
            if is_best:
                mark_best(self._run / CHECKPOINTS, path)

    def end_epoch(self, epoch: int) -> None:
        """Tell where the epoch's time went."""
        self.write()
        self.recorder.end_epoch(epoch, self._state.step)


def _batches(
    dataset: SliceDataset, config: TrainingConfig, step: int, n_batches: int
) -> Iterator[tuple[int, RawBatch]]:
    """Hand out epoch and batch of each step from `step` to the last."""
    while step < config.steps:
        epoch, start = divmod(step, n_batches)
        for batch in dataset.batches(
            config.slices_per_step,
            seed=config.seed,
            epoch=epoch,
            shuffle=True,
            start=start,
            drop_last=True,
        ):
            yield epoch, batch
            step += 1
            if step == config.steps:
                return


def _set_learning_rates(state: TrainingState, config: TrainingConfig) -> float:
    factor = learning_rate_factor(state.step, config) * 0.5**state.n_rollbacks
    rates = [
        (state.generator_optimizer, config.learning_rate),
        (state.discriminator_optimizer, config.discriminator_learning_rate),
    ]
    for optimizer, rate in rates:
        if optimizer is not None:
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
    return factor
