"""Gather what a run tells while it goes on, and write it many steps at a time."""

from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor

from mrirecon.data import RawBatch
from mrirecon.training.balance import BalanceMonitor
from mrirecon.training.config import TrainingConfig
from mrirecon.training.divergence import DivergedError, ExplosionWatch
from mrirecon.training.ledger import Ledger, peak_memory
from mrirecon.training.log import Record, RunLog
from mrirecon.training.progress import TrainingProgress
from mrirecon.training.ranks import Ranks

_SHOWN = ("loss", "discriminator")  # terms beside the progress bar


@dataclass(frozen=True)
class _Pending:
    record: Record
    terms: dict[str, Tensor]
    batch: RawBatch


class Recorder:
    """Gather loss terms on the device, and write them to the log when asked.

    Reading one number waits for the device; so numbers are read when they are written.

    Args:
        log: of the run.
        progress: bar to keep up to date.
        config: of the run.
        ledger: gives the shares of time at the end of an epoch.
        ranks: the processes whose terms are averaged, and this one's device.
        balance: warns where discriminator or generator has lost.
        explosion: judges each loss.
        step: steps done before.
    """

    def __init__(
        self,
        log: RunLog,
        progress: TrainingProgress,
        config: TrainingConfig,
        ledger: Ledger,
        ranks: Ranks,
        *,
        balance: BalanceMonitor,
        explosion: ExplosionWatch,
        step: int,
    ) -> None:
        self._log = log
        self._progress = progress
        self._batch_size = config.slices_per_step * ranks.world_size
        self._ledger = ledger
        self._ranks = ranks
        self._balance = balance
        self._explosion = explosion
        self._pending: list[_Pending] = []
        self._written = (step, perf_counter())
        self._epoch_start = step

    def add(self, record: Record, terms: dict[str, Tensor], batch: RawBatch) -> None:
        """Keep the terms of a step: its record names step, epoch and learning rate."""
        self._pending.append(_Pending(record, terms, batch))

    def write(self) -> None:
        """Write all steps since the last call, in one transfer from the device.

        Raises:
            DivergedError: a term is NaN or infinite, or the loss exploded; names step and term.
                The steps before it are written.
            OSError: the disk is full.
        """
        if not self._pending:
            return
        terms = torch.stack([t for p in self._pending for t in p.terms.values()])
        self._ranks.average([terms])
        values = iter(terms.tolist())
        pending, self._pending = self._pending, []
        for one in pending:
            one.record.update((name, next(values)) for name in one.terms)
            try:
                self._log.metrics([one.record])
                problem = self._explosion.problem(one.record)
            except ValueError as error:
                problem = str(error)
            if problem is not None:
                step, epoch = one.record["step"], one.record["epoch"]
                raise DivergedError(problem, step, epoch, one.batch)
            warning = self._balance.update(one.record)
            if warning is not None:
                self.warn(one.record["step"], warning)
        self._write_speed(pending[-1].record)

    def warn(self, step: int, warning: str) -> None:
        """Tell and store what a user should know of a step."""
        self._log.metrics([{"step": step, "warning": warning}])
        self._progress.tell(f"step {step}: {warning}")

    def end_epoch(self, epoch: int, step: int) -> None:
        """Tell and store how fast an epoch was, and what its time went to; call `write` first."""
        total, seconds = self._ledger.read()
        n_images = (step - self._epoch_start) * self._batch_size
        self._epoch_start = step
        if not n_images:
            return
        record = {
            "step": step,
            "epoch": epoch,
            "images_per_second": round(n_images / total, 3),
            "shares": {name: round(value / total, 4) for name, value in seconds.items()},
            "peak_memory_bytes": peak_memory(self._ranks.device),
        }
        self._log.speed(record)
        self._progress.tell(describe_epoch(record))

    def validation(self, step: int, scores: dict[str, float]) -> None:
        """Write the scores of a validation, whose time does not count as training."""
        named = {f"validation.{name}": float(score) for name, score in scores.items()}
        self._log.metrics([{"step": step, **named}])
        self._written = (step, perf_counter())

    def _write_speed(self, record: Record) -> None:
        (before, start), now = self._written, perf_counter()
        step = record["step"]
        rate = (step - before) * self._batch_size / (now - start)
        self._written = (step, now)
        self._log.speed({"step": step, "images_per_second": round(rate, 3)})
        shown = {name: record[name] for name in _SHOWN if name in record}
        self._progress.update(step, shown, rate)


def describe_epoch(record: Record) -> str:
    """Write an epoch's record of speed as one line."""
    shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in record["shares"].items())
    memory = record["peak_memory_bytes"] / 2**30
    return (
        f"epoch {record['epoch']}: {record['images_per_second']:.1f} images/s; {shares}; "
        f"peak memory {memory:.2f} GiB"
    )
