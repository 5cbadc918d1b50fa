"""Which learning rate to take: a few steps at each of many, from far too low to far too high.

Source: Smith 2017 (10.1109/WACV.2017.58), section 3.3.
"""

import math
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mrirecon.data import RawBatch, SliceDataset
from mrirecon.files import atomic_path
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.sampling import MixtureConfig, Undersampling
from mrirecon.training import TrainingConfig, make_state, training_step
from mrirecon.training.batch import measure_batch
from mrirecon.training.schedule import step_seed

_DIVERGED = 4.0  # times the lowest smoothed loss, where nothing better can follow
_MARGIN = (
    10.0  # between the rate of the lowest loss, where it is about to rise, and the one to take
)
_SMOOTHING = 0.05  # of all steps: the scale over which losses of single batches are averaged


class RateSearch(NamedTuple):
    """The outcome of `search_rates`.

    Attributes:
        rates: (steps,), of the generator, rising evenly in the logarithm.
        losses: (steps,), of each step's batch; fewer than asked for where they diverged.
        smoothed: (steps,), their running mean.
        lowest: rate with the lowest smoothed loss.
        suggested: a tenth of it.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    smoothed: NDArray[np.float64]
    lowest: float
    suggested: float


def search_rates(
    generator: Generator,
    discriminator: PatchDiscriminator | None,
    dataset: SliceDataset,
    sampling: Undersampling | MixtureConfig,
    config: TrainingConfig,
    *,
    device: torch.device,
    low: float = 1e-6,
    high: float = 1.0,
    n_steps: int = 100,
) -> RateSearch:
    """Train while the learning rate rises, until the loss is far above its lowest.

    The discriminator's rate rises with the generator's, in the proportion of `config`.

    Args:
        generator: changed in place, and of no use afterwards.
        discriminator: as the generator; None without an adversarial loss.
        dataset: the slices to train on.
        sampling: how k-space is undersampled.
        config: of the run; its rates count by their proportion alone, its schedule not at all.
        device: where to compute.
        low: first rate, above 0.
        high: last rate, above `low`.
        n_steps: 10 or more.

    Raises:
        ValueError: an argument is out of range, or the dataset has less than a batch.
    """
    if not 0 < low < high < math.inf:
        raise ValueError(f"low: expected above 0 and below high = {high:g}, got {low:g}")
    if n_steps < 10:
        raise ValueError(f"n_steps: expected 10 or more, got {n_steps}")
    state = make_state(generator, discriminator, config, device)
    proportion = config.discriminator_learning_rate / config.learning_rate
    rates = np.geomspace(low, high, n_steps)
    losses: list[float] = []
    for rate, (epoch, batch) in zip(rates.tolist(), _endless(dataset, config), strict=False):
        for optimizer, factor in (
            (state.generator_optimizer, 1.0),
            (state.discriminator_optimizer, proportion),
        ):
            for group in optimizer.param_groups if optimizer else ():
                group["lr"] = rate * factor
        torch.manual_seed(step_seed(config.seed, state.step))
        parts = measure_batch(batch.to(device), sampling, config, step=state.step, epoch=epoch)
        loss = float(training_step(state, parts, config)["loss"])
        state.step += 1
        if not math.isfinite(loss):
            break
        losses.append(loss)
        smoothed = _smooth(losses, n_steps)
        if len(losses) > n_steps // 10 and smoothed[-1] > _DIVERGED * smoothed.min():
            break
    return _judge(rates[: len(losses)], np.array(losses), _smooth(losses, n_steps))


def draw_rates(search: RateSearch, path: Path) -> None:
    """Draw the loss against the learning rate, with the rate to take.

    Raises:
        OSError: the file cannot be written.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(search.rates, search.losses, color="0.8", label="of each batch")
    axes.plot(search.rates, search.smoothed, color="#3a6ea5", label="running mean")
    for rate, name, style in (
        (search.suggested, "suggested", "-"),
        (search.lowest, "lowest", ":"),
    ):
        axes.axvline(rate, color="#c2543f", linestyle=style, label=f"{name}: {rate:.2g}")
    top = search.smoothed.max()
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
    axes.set_ylim(min(search.losses.min(), 0.0), 1.1 * top if top > 0 else None)
    axes.legend(frameon=False)
    with atomic_path(path) as partial:
        figure.savefig(partial, dpi=130)


def _endless(dataset: SliceDataset, config: TrainingConfig) -> Iterator[tuple[int, RawBatch]]:
    """Hand out epoch and batch, epoch after epoch."""
    size, seed = config.slices_per_step, config.seed
    if dataset.n_batches(size, drop_last=True) == 0:
        raise ValueError(f"dataset: expected a batch of {size} slices or more, got {len(dataset)}")
    for epoch in count():
        for batch in dataset.batches(size, seed=seed, epoch=epoch, shuffle=True, drop_last=True):
            yield epoch, batch


def _smooth(losses: list[float], n_steps: int) -> NDArray[np.float64]:
    """Average exponentially over a share of the steps, without the bias of the first ones."""
    keep = 1 - 1 / max(1.0, _SMOOTHING * n_steps)
    mean, smoothed = 0.0, []
    for number, loss in enumerate(losses, start=1):
        mean = keep * mean + (1 - keep) * loss
        smoothed.append(mean / (1 - keep**number))
    return np.array(smoothed)


def _judge(
    rates: NDArray[np.float64], losses: NDArray[np.float64], smoothed: NDArray[np.float64]
) -> RateSearch:
    if not len(losses):
        raise ValueError("low: expected a rate at which the loss is finite, got none")
    lowest = float(rates[smoothed.argmin()])
    return RateSearch(rates, losses, smoothed, lowest, lowest / _MARGIN)
