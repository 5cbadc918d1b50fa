"""Train a generator, with or without a discriminator, in a run folder that can be resumed.

A run folder holds versions.json, metrics.jsonl, metrics.csv, speed.jsonl and checkpoints/. Every
random number of a run is a function of the seed and the step, so a resumed run needs no more than
the last checkpoint to give the numbers of a run that was never stopped.
"""

import json
import platform
import signal
from contextlib import closing
from pathlib import Path

import torch

from mrirecon.data import SliceDataset
from mrirecon.files import atomic_path
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.sampling import MixtureConfig, Undersampling
from mrirecon.training.board import Board
from mrirecon.training.checkpoint import (
    discard_after,
    last_checkpoint,
    load_checkpoint,
)
from mrirecon.training.config import TrainingConfig
from mrirecon.training.divergence import DivergedError, roll_back
from mrirecon.training.log import METRICS, RunLog
from mrirecon.training.loop import CHECKPOINTS, Loop, Show, Validate
from mrirecon.training.profile import profiling
from mrirecon.training.progress import TrainingProgress
from mrirecon.training.ranks import Ranks, alone
from mrirecon.training.state import TrainingState, compile_networks, make_state
from mrirecon.training.stopping import StopRequest, TrainingStopped
from mrirecon.version import __version__


def train(  # noqa: PLR0917  (six things of six kinds; names at the call would repeat them)
    run: Path,
    generator: Generator,
    discriminator: PatchDiscriminator | None,
    dataset: SliceDataset,
    sampling: Undersampling | MixtureConfig,
    config: TrainingConfig,
    *,
    device: torch.device,
    validate: Validate | None = None,
    show: Show | None = None,
    resume: bool = False,
    profile: Path | None = None,
    ranks: Ranks | None = None,
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
        show: given the averaged generator at each validation, returns pictures for TensorBoard, by
            name, grey (rows, cols) in [0, 1]; used where `config.tensorboard` is set.
        resume: go on from the last checkpoint, or from the start where there is none yet.
        profile: .json file for a trace of steps 6 to 10 (see `profiling`).
        ranks: the processes that train together, of which `dataset` hands each its part; all but
            the first write their logs to RUN/ranks/NUMBER. None: this process alone.

    Returns:
        The averaged generator after the last step, in evaluation mode, on `device`.

    Raises:
        TrainingStopped: SIGTERM or SIGINT came; the step it came in is saved.
        ValueError: the run folder is in use and `resume` is not asked for, the dataset has fewer
            slices than a batch, a checkpoint does not fit, the validation lacks the score
            `config.best_by`, or the run diverged where it is to stop or for the second time; that
            message names step, term and the file of the batch, and the last checkpoint is kept.
        OSError: the run folder cannot be written to, or the disk is full.
        ImportError: `config.tensorboard` is set, and tensorboard is not installed.

    Examples:
        >>> import torch
        >>> from pathlib import Path
        >>> from mrirecon.data import SliceDataset, SliceStore
        >>> from mrirecon.losses import LossConfig
        >>> from mrirecon.models import Generator, GeneratorConfig, UNetConfig
        >>> from mrirecon.sampling import SamplingConfig
        >>> from mrirecon.training import TrainingConfig, train
        >>> config = TrainingConfig(steps=2, batch_size=2, losses=LossConfig(adversarial=0))
        >>> generator = Generator(GeneratorConfig(UNetConfig(width=4, n_levels=1), "after"))
        >>> with SliceStore("store.h5") as store:
        ...     slices = SliceDataset(store, "train")
        ...     run, lines, cpu = Path("run2"), SamplingConfig(acceleration=4), torch.device("cpu")
        ...     trained = train(run, generator, None, slices, lines, config, device=cpu)
        >>> trained.training
        False
    """
    n_batches = dataset.n_batches(config.slices_per_step, drop_last=True)
    if n_batches == 0:
        wanted = f"a batch of {config.slices_per_step} slices or more"
        raise ValueError(f"dataset: expected {wanted}, got {len(dataset)}")
    ranks = ranks or alone(device)
    home = run if ranks.is_first else run / "ranks" / str(ranks.rank)
    state = make_state(generator, discriminator, config, device)
    state.is_simulated = dataset.store.is_simulated
    _prepare_run(run, home, state, config, resume=resume)
    if config.compile or config.cuda_graphs:
        compile_networks(state, config.losses, cuda_graphs=config.cuda_graphs)

    def go_on(profile: Path | None, warning: str | None) -> None:
        board = Board(run, state.step) if config.tensorboard and ranks.is_first else None
        with (
            closing(RunLog(home, state.step, board)) as log,
            TrainingProgress(config.steps, state.step, is_shown=ranks.is_first) as progress,
            StopRequest() as stop,
            profiling(profile, device) as profiler_step,
        ):
            loop = Loop(home, state, sampling, config, ranks, log, progress)
            if warning:
                loop.recorder.warn(state.step + 1, warning)
            for epoch, batch in loop.batches(dataset, n_batches):
                loop.step(epoch, batch)
                profiler_step()
                is_last, is_best = state.step == config.steps, False
                if validate and (is_last or state.step % config.validate_every == 0):
                    is_best, has_enough = loop.validate(validate, show)
                    is_last = is_last or has_enough
                is_logged = state.step % config.log_every == 0
                # Asking the others costs an exchange, so that several processes ask now and then.
                is_asked = ranks.world_size == 1 or is_logged
                is_stopped = is_asked and ranks.any(stop.signal_number is not None)
                if is_last or is_best or is_stopped or state.step % config.checkpoint_every == 0:
                    loop.save(is_best=is_best)
                elif is_logged:
                    loop.write()
                if is_last or state.step % n_batches == 0:
                    loop.end_epoch(epoch)
                if is_last:
                    break
                if is_stopped:
                    raise TrainingStopped(stop.signal_number or signal.SIGTERM, state.step)

    try:
        go_on(profile, None)
    except DivergedError as error:
        warning = roll_back(run / CHECKPOINTS, state, config, error)
        go_on(None, warning)
    return state.average


def _prepare_run(
    run: Path, home: Path, state: TrainingState, config: TrainingConfig, *, resume: bool
) -> None:
    """Load the last checkpoint, or refuse to overwrite another run."""
    folder = run / CHECKPOINTS
    last = last_checkpoint(folder)
    if not resume and (last or (home / METRICS).exists()):
        raise ValueError(f"{run}: expected a new run folder, got one in use; resume it or move it")
    if last:
        load_checkpoint(last, state, config)
    if home != run:
        return
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
