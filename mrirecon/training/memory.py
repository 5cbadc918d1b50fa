"""Find the largest batch whose training steps fit into memory, by taking some."""

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from mrirecon.data import RawBatch, SliceDataset, SliceStore
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.sampling import MixtureConfig, Undersampling
from mrirecon.training.batch import measure_batch
from mrirecon.training.config import TrainingConfig
from mrirecon.training.ledger import peak_memory
from mrirecon.training.state import make_state
from mrirecon.training.step import training_step

_STEPS = 2  # the first allocates what Adam remembers
_AIM = 0.98  # of the memory; 40 slices foretold at 1.20 GiB took 1.21
_GROWTH = 2  # from one trial to the next at most, so that memory is never exceeded by far


class FoundBatch(NamedTuple):
    """The outcome of `find_batch_size`.

    Attributes:
        size: slices in the largest batch that fits.
        peak: most memory used with it [bytes]: of the GPU, or of this process.
        trials: peak of each size that was tried.
    """

    size: int
    peak: int
    trials: dict[int, int]


def find_batch_size(
    generator: Generator,
    discriminator: PatchDiscriminator | None,
    dataset: SliceDataset,
    sampling: Undersampling | MixtureConfig,
    config: TrainingConfig,
    *,
    device: torch.device,
    max_memory: int,
) -> FoundBatch:
    """Take steps with larger and larger batches of the largest slices, and keep the last that fit.

    Memory grows evenly with the batch: two sizes foretell how much a third takes, so that the
    limit is met rather than exceeded. On a CPU the memory of the whole process counts, of which
    no more than the most used so far is known: call it before anything larger was computed.

    Args:
        generator: not changed; a copy is trained.
        discriminator: not changed; None without an adversarial loss.
        dataset: the slices to train on; a batch holds at most an epoch's.
        sampling: how k-space is undersampled.
        config: of the run; its batch size is not used.
        device: where to compute.
        max_memory: [bytes] that training may take.

    Raises:
        ValueError: a batch of one slice takes more.
    """

    def peak_of(size: int) -> int:
        networks = copy.deepcopy((generator, discriminator))
        sized = replace(config, batch_size=size, accumulate=min(2, config.accumulate))
        state = make_state(*networks, sized, device)
        state.step = sized.losses.adversarial_start  # with the discriminator, where there is one
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        for _ in range(_STEPS):
            batch = _batch_of(size * sized.accumulate, dataset.store).to(device)
            parts = measure_batch(batch, sampling, sized, step=0, epoch=0)
            training_step(state, parts, sized)
        return peak_memory(device)

    return largest_fitting(
        peak_of, max_memory, n_most=dataset.n_batches(config.accumulate, drop_last=True)
    )


def largest_fitting(peak_of: Callable[[int], int], max_memory: int, *, n_most: int) -> FoundBatch:
    """Find a size whose peak is at most `max_memory` and hardly less, by as few trials as it takes.

    Args:
        peak_of: takes a size, returns its peak [bytes]; called with growing sizes.
        max_memory: [bytes].
        n_most: the largest size to try.

    Raises:
        ValueError: the smallest size, 1, takes more.
    """
    trials: dict[int, int] = {}
    size = 1
    while size not in trials:
        trials[size] = peak_of(size)
        if trials[size] > max_memory:
            break
        size = max(size, min(_foretell(trials, _AIM * max_memory), _GROWTH * size, n_most))
    fitting = [tried for tried, peak in trials.items() if peak <= max_memory]
    if not fitting:
        wanted = f"{trials[1] / 2**30:.2f} GiB or more, which a batch of one slice takes"
        raise ValueError(f"--max-memory: expected {wanted}, got {max_memory / 2**30:.2f} GiB")
    return FoundBatch(fitting[-1], trials[fitting[-1]], trials)


def _foretell(trials: dict[int, int], max_memory: float) -> int:
    """Return the size that should just fit, by a line through the two largest sizes tried."""
    (last, peak), *others = reversed(trials.items())
    if not others:
        return _GROWTH * last
    before, peak_before = others[0]
    slope = (peak - peak_before) / (last - before)
    return int(last + (max_memory - peak) / slope) if slope > 0 else _GROWTH * last


def _batch_of(size: int, store: SliceStore) -> RawBatch:
    """Make a batch of slices of the store's largest shape and of its type."""
    shape = max(store.shapes, key=math.prod)
    images = np.ones((size, *shape), store.dtype)
    return RawBatch(
        images=torch.from_numpy(images),
        scale=torch.ones(size),
        volumes=torch.zeros(size, dtype=torch.int64),
        slices=torch.arange(size),
    )
