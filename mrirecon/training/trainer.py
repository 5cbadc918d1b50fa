"""Train a generator, with or without a discriminator, in a run folder that can be resumed.

A run folder holds versions.json, metrics.jsonl, metrics.csv, speed.jsonl and checkpoints/. Every
random number of a run is a function of the seed and the step, so a resumed run needs no more than
the last checkpoint to give the numbers of a run that was never stopped.
"""

import json
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import torch
from torch import Tensor

from mrirecon.data import RawBatch, SliceDataset, augment, simulate
from mrirecon.files import atomic_path
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.sampling import Undersampling
from mrirecon.training.checkpoint import (
    discard_after,
    last_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from mrirecon.training.config import TrainingConfig
from mrirecon.training.log import METRICS, Record, RunLog
from mrirecon.training.progress import TrainingProgress
from mrirecon.training.schedule import learning_rate_factor, step_seed
from mrirecon.training.step import TrainingState, compile_networks, make_state, training_step
from mrirecon.version import __version__

CHECKPOINTS = "checkpoints"
_SHOWN = ("loss", "discriminator")  # terms beside the progress bar

Validate = Callable[[Generator, int], dict[str, float]]


def train(  # noqa: PLR0917  (six things of six kinds; names at the call would repeat them)
    run: Path,
    generator: Generator,
    discriminator: PatchDiscriminator | None,
    dataset: SliceDataset,
    sampling: Undersampling,
    config: TrainingConfig,
    *,
    device: torch.device,
    validate: Validate | None = None,
    resume: bool = False,
) -> Generator:
    """Train until `config.steps`, and leave the result in `run`.

    Args:
        run: folder of the run; made where it is missing.
        generator: changed in place. Its first weights are the caller's to seed.
        discriminator: changed in place; None without an adversarial loss.
        dataset: the slices to train on.
        sampling: how k-space is undersampled.
        config: everything else.
        device: where to compute.
        validate: given the averaged generator and the steps done, returns scores for the log.
        resume: go on from the last checkpoint, or from the start where there is none yet.

    Returns:
        The averaged generator, in evaluation mode, on `device`.

    Raises:
        ValueError: the run folder is in use and `resume` is not asked for, the dataset has fewer
            slices than a batch, a checkpoint does not fit, or a loss became NaN or infinite; the
            last message names step and term, and the last checkpoint is kept.
        OSError: the run folder cannot be written to, or the disk is full.
    """
    n_batches = dataset.n_batches(config.batch_size, drop_last=True)
    if n_batches == 0:
        raise ValueError(
            f"dataset: expected a batch of {config.batch_size} slices or more, got {len(dataset)}"
        )
    state = make_state(generator, discriminator, config, device)
    _prepare_run(run, state, config, resume=resume)
    if config.compile:
        compile_networks(state)
    with (
        closing(RunLog(run, state.step)) as log,
        TrainingProgress(config.steps, state.step) as progress,
    ):
        recorder = _Recorder(log, progress, config, state.step)
        for epoch, batch in _batches(dataset, config, state.step, n_batches):
            seed = step_seed(config.seed, state.step)
            torch.manual_seed(seed)
            factor = _set_learning_rates(state, config)
            measurement = simulate(
                augment(batch.to(device), config.augmentation, seed=seed),
                sampling,
                seed=config.seed,
                epoch=epoch,
                noise_std=config.noise_std,
            )
            terms = training_step(state, measurement, config)
            state.step += 1
            recorder.add(state.step, epoch, config.learning_rate * factor, terms)
            is_last = state.step == config.steps
            if is_last or state.step % config.log_every == 0:
                recorder.write()
            if validate and (is_last or state.step % config.validate_every == 0):
                recorder.write()
                scores = validate(state.average, state.step)
                state.average.eval()
                recorder.validation(state.step, scores)
            if is_last or state.step % config.checkpoint_every == 0:
                recorder.write()
                log.sync()
                save_checkpoint(run / CHECKPOINTS, state, config)
    return state.average


def _prepare_run(run: Path, state: TrainingState, config: TrainingConfig, *, resume: bool) -> None:
    """Load the last checkpoint, or refuse to overwrite another run."""
    folder = run / CHECKPOINTS
    last = last_checkpoint(folder)
    if not resume and (last or (run / METRICS).exists()):
        raise ValueError(f"{run}: expected a new run folder, got one in use; resume it or move it")
    if last:
        load_checkpoint(last, state, config)
    discard_after(folder, state.step)
    versions = {
        "mrirecon": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
    }
    with atomic_path(run / "versions.json") as partial:
        partial.write_text(json.dumps(versions, indent=2) + "\n")


def _batches(
    dataset: SliceDataset, config: TrainingConfig, step: int, n_batches: int
) -> Iterator[tuple[int, RawBatch]]:
    """Hand out epoch and batch of each step from `step` to the last."""
    while step < config.steps:
        epoch, start = divmod(step, n_batches)
        for batch in dataset.batches(
            config.batch_size,
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
    factor = learning_rate_factor(state.step, config)
    rates = [
        (state.generator_optimizer, config.learning_rate),
        (state.discriminator_optimizer, config.discriminator_learning_rate),
    ]
    for optimizer, rate in rates:
        if optimizer is not None:
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
    return factor


class _Recorder:
    """Gather loss terms on the device and write them many steps at a time.

    Reading one number waits for the device; so numbers are read when they are written.
    """

    def __init__(
        self, log: RunLog, progress: TrainingProgress, config: TrainingConfig, step: int
    ) -> None:
        self._log = log
        self._progress = progress
        self._config = config
        self._pending: list[tuple[Record, dict[str, Tensor]]] = []
        self._written = (step, time.perf_counter())

    def add(self, step: int, epoch: int, learning_rate: float, terms: dict[str, Tensor]) -> None:
        """Keep the terms of a step."""
        record = {"step": step, "epoch": epoch, "learning_rate": learning_rate}
        self._pending.append((record, terms))

    def write(self) -> None:
        """Write all steps since the last call, in one transfer from the device.

        Raises:
            ValueError: a term is NaN or infinite; names step and term.
        """
        if not self._pending:
            return
        values = torch.stack([t for _, terms in self._pending for t in terms.values()]).tolist()
        names = [(record, name) for record, terms in self._pending for name in terms]
        for (record, name), value in zip(names, values, strict=True):
            record[name] = value
        records = [record for record, _ in self._pending]
        self._pending.clear()
        self._log.metrics(records)
        self._write_speed(records[-1])

    def _write_speed(self, record: Record) -> None:
        (before, start), now = self._written, time.perf_counter()
        step = record["step"]
        rate = (step - before) * self._config.batch_size / (now - start)
        self._written = (step, now)
        self._log.speed({"step": step, "images_per_second": round(rate, 3)})
        shown = {name: record[name] for name in _SHOWN if name in record}
        self._progress.update(step, shown, rate)

    def validation(self, step: int, scores: dict[str, float]) -> None:
        """Write the scores of a validation, whose time does not count as training."""
        named = {f"validation.{name}": float(score) for name, score in scores.items()}
        self._log.metrics([{"step": step, **named}])
        self._written = (step, time.perf_counter())
