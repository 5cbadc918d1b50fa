"""One training step: reconstruct, update the discriminator, update the generator."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict

import torch
from torch import Tensor
from torch.optim import Optimizer

from mrirecon.data import Measurement
from mrirecon.losses import GENERATOR_TERMS, LossConfig, image_terms, l1_loss
from mrirecon.models import Reconstruction
from mrirecon.training.config import TrainingConfig
from mrirecon.training.ema import update_average
from mrirecon.training.game import Game
from mrirecon.training.ledger import Ledger
from mrirecon.training.precision import make_autocast
from mrirecon.training.ranks import Ranks, alone
from mrirecon.training.state import TrainingState

Terms = dict[str, Tensor]


def training_step(
    state: TrainingState,
    measured: Measurement | Sequence[Measurement],
    config: TrainingConfig,
    ledger: Ledger | None = None,
    ranks: Ranks | None = None,
) -> Terms:
    """Update the discriminator, then the generator, then its average, on one batch.

    Nothing waits for the device. `state.step` is the caller's to count; a `ledger` counts the time
    of the forward and backward passes and of the optimisers. A batch may come in parts, whose
    gradients add up to those of the whole; no more than one part's activations are held then, at
    the price of reconstructing twice where there is a discriminator. What a batch draws or counts
    as a whole (a gradient penalty's places, spectral norm's iterations) is then drawn part by part.

    Args:
        state: changed in place.
        measured: the batch, or its parts.
        config: of the run.
        ledger: None counts nothing.
        ranks: the processes that train together; None for this one alone.

    Returns:
        Scalars without gradient: "loss" (what the generator minimises) and its terms before
        weighting, named as in `LossConfig`; "discriminator" (what it minimises), its penalties
        before weighting, and of its last judgement before an update the mean logits "logit_real"
        and "logit_fake" and the "separation" of both. All are means over the batch.

    Examples:
        >>> import torch
        >>> from mrirecon.data import RawBatch, simulate
        >>> from mrirecon.losses import LossConfig
        >>> from mrirecon.models import Generator, GeneratorConfig, UNetConfig
        >>> from mrirecon.sampling import SamplingConfig
        >>> from mrirecon.training import TrainingConfig, make_state, training_step
        >>> config = TrainingConfig(losses=LossConfig(l1=1, ssim=1, adversarial=0))
        >>> generator = Generator(GeneratorConfig(UNetConfig(width=4, n_levels=1), "inside"))
        >>> state = make_state(generator, None, config, torch.device("cpu"))
        >>> batch = RawBatch.of_volume(torch.rand(2, 32, 32).numpy())
        >>> measured = simulate(batch, SamplingConfig(acceleration=4), seed=0, epoch=0)
        >>> terms = training_step(state, measured, config)
        >>> sorted(terms)
        ['l1', 'loss', 'ssim']
    """
    parts = [measured] if isinstance(measured, Measurement) else measured
    n_slices = sum(len(part.target) for part in parts)
    shares = [len(part.target) / n_slices for part in parts]
    losses, judge_optimizer = config.losses, state.discriminator_optimizer
    judge = state.discriminator if state.step >= losses.adversarial_start else None
    turn = _Turn(state, config, parts[0].target.device, ledger, ranks)
    is_whole = len(parts) == 1
    seeds = [None] if is_whole else [torch.initial_seed() + n for n in range(len(parts))]
    games: list[Game] = []

    # Reconstruct. Of several parts the images alone stay, and their graphs are made anew below.
    made: list[Reconstruction] = []
    if is_whole or judge is not None:
        with torch.set_grad_enabled(is_whole):
            made = [turn.reconstruct(*pair) for pair in zip(parts, seeds, strict=True)]

    # Teach the discriminator.
    if judge is not None and judge_optimizer is not None:
        games = [Game(judge, part, losses, turn.autocast) for part in parts]
        for _ in range(losses.discriminator_steps):
            turn.terms.clear()
            judge_optimizer.zero_grad(set_to_none=True)
            for game, reconstruction, share in zip(games, made, shares, strict=True):
                with turn.phase("forward"):
                    terms = game.discriminator_terms(reconstruction.trained.detach())
                turn.descend(terms, "discriminator", share)
            turn.update(judge_optimizer)

    # Teach the generator, which is told what the discriminator thinks; its average follows.
    state.generator_optimizer.zero_grad(set_to_none=True)
    for n, (part, share) in enumerate(zip(parts, shares, strict=True)):
        reconstruction = made[n] if is_whole else turn.reconstruct(part, seeds[n])
        image = reconstruction.trained  # (batch, 1, rows, cols)
        with turn.phase("forward"):
            terms = games[n].generator_terms(image) if games else {}
            terms |= image_terms(image, part.target, losses, state.perceptual)
            if losses.network > 0:
                terms["network"] = l1_loss(reconstruction.network, part.target)
            terms["loss"] = _weighted_sum(terms, losses)
        turn.descend(terms, "loss", share)
    turn.update(state.generator_optimizer)
    with turn.phase("optimizer"):
        update_average(state.average, state.generator, decay=config.ema_decay, step=state.step)
    return turn.terms


class _Turn:
    """What the parts of one step share: arithmetic, scaling, the count of time, and their terms."""

    def __init__(
        self,
        state: TrainingState,
        config: TrainingConfig,
        device: torch.device,
        ledger: Ledger | None,
        ranks: Ranks | None,
    ) -> None:
        self.autocast = make_autocast(config.precision, device)
        self.phase = ledger.phase if ledger else _uncounted
        self.terms: Terms = {}
        self._state, self._clip = state, config.gradient_clip
        self._ranks = ranks or alone(device)

    def reconstruct(self, part: Measurement, seed: int | None) -> Reconstruction:
        """Reconstruct a part; from one seed with the same dropout each time."""
        if seed is not None:
            torch.manual_seed(seed % 2**63)
        with self.phase("forward"), self.autocast:
            made: Reconstruction = self._state.generator(
                part.zero_filled, part.sampled, part.phase, part.coil_maps
            )
        return made

    def descend(self, terms: Terms, name: str, share: float) -> None:
        """Add the gradient of a part's loss, and its terms, to those of the batch."""
        with self.phase("backward"):
            self._state.scaler.scale(terms[name] * share).backward()
        for key, term in terms.items():
            self.terms[key] = self.terms.get(key, 0.0) + term.detach() * share

    def update(self, optimizer: Optimizer) -> None:
        """Let an optimiser take its step along the gradients of all processes."""
        scaler = self._state.scaler
        with self.phase("optimizer"):
            self._ranks.average_gradients(optimizer)
            scaler.unscale_(optimizer)
            clip_gradients(optimizer, self._clip)
            scaler.step(optimizer)
            scaler.update()


def clip_gradients(optimizer: Optimizer, largest: float | None) -> None:
    """Shorten the gradient of all of an optimiser's parameters together.

    Args:
        optimizer: whose parameters have gradients.
        largest: Euclidean norm that a gradient may have; None leaves every gradient as it is.
    """
    if largest is not None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, largest)


def _weighted_sum(terms: Terms, losses: LossConfig) -> Tensor:
    weights = asdict(losses)
    return torch.stack(
        [weights[name] * terms[name] for name in GENERATOR_TERMS if name in terms]
    ).sum()


def _uncounted(_name: str) -> AbstractContextManager[None]:
    return nullcontext()
