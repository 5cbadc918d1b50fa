"""A run of seconds, for the trainer's tests; as a script, for those that need its process.

Usage: python small_run.py STORE RUN [--resume] [--pause SECONDS] [--batch SLICES] [--plain]
                           [--ahead BATCHES]
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import torch

from mrirecon.data import (
    AugmentationConfig,
    PrepareConfig,
    SimulationConfig,
    SliceDataset,
    SliceStore,
    dataset,
    prepare,
)
from mrirecon.losses import LossConfig
from mrirecon.models import (
    Generator,
    GeneratorConfig,
    PatchDiscriminator,
    PatchDiscriminatorConfig,
    ReconResNetConfig,
)
from mrirecon.sampling import MixtureConfig, SamplingConfig, Undersampling
from mrirecon.training import Ranks, TrainingConfig, alone, joined_ranks, train

GENERATOR = GeneratorConfig(ReconResNetConfig(width=4, n_blocks=1, residual=True), "inside")
DISCRIMINATOR = PatchDiscriminatorConfig(width=4, n_downsamplings=2)
SAMPLING = SamplingConfig(acceleration=3.0)
CONFIG = TrainingConfig(
    steps=10,
    batch_size=2,
    seed=7,
    learning_rate=1e-3,
    losses=LossConfig(adversarial=0.1),
    augmentation=AugmentationConfig(flip=True, gamma=1.5, overlay=True),
    log_every=3,
    validate_every=4,
    checkpoint_every=4,
    best_by="double_step",
    simulation=SimulationConfig(noise_std=0.01),
)

PLAIN_GENERATOR = replace(GENERATOR, network=replace(GENERATOR.network, dropout=0.0))
"""Without dropout, which each process draws for itself."""
PLAIN = replace(
    CONFIG,
    augmentation=AugmentationConfig(flip=True, gamma=1.5),
    losses=LossConfig(adversarial=0.1, adversarial_kind="least-squares"),
)
"""Without overlays of slices of a batch, and without the hinge: while all logits are within its
margin, the gradient of the discriminator's last bias is 1 - 1, whose rounding Adam blows up."""


def make_store(folder: Path) -> Path:
    """Prepare a volume of seven slices, 24 x 20, of ellipses with texture."""
    rows, cols = np.mgrid[-1:1:24j, -1:1:20j]
    radii = np.linspace(0.6, 0.95, 7)[:, None, None]
    texture = np.random.default_rng(1).uniform(0.5, 1.0, (7, 24, 20))
    volume = np.where(rows**2 + 1.4 * cols**2 < radii**2, 1000 * texture, 0).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume.transpose(1, 2, 0), np.eye(4)), folder / "head.nii")
    prepare(folder / "head.nii", folder / "store.h5", PrepareConfig(splits="train"))
    return folder / "store.h5"


def small_run(
    store: Path,
    run: Path,
    config: TrainingConfig = CONFIG,
    *,
    resume: bool = False,
    pause: float = 0.0,
    score: Callable[[int], float] | None = None,
    profile: Path | None = None,
    ranks: Ranks | None = None,
    generator_config: GeneratorConfig = GENERATOR,
    discriminator_config: PatchDiscriminatorConfig = DISCRIMINATOR,
    sampling: Undersampling | MixtureConfig = SAMPLING,
) -> Generator:
    """Train the small generator; each validation takes `pause` seconds at least.

    With `score`, a validation after so many steps returns it under the name "s".
    """
    ranks = ranks or alone(torch.device("cpu"))
    torch.manual_seed(0)
    generator, discriminator = Generator(generator_config), PatchDiscriminator(discriminator_config)

    def validate(average: Generator, step: int) -> dict[str, float]:
        time.sleep(pause)
        assert not average.training
        if score:
            return {"s": float(score(step))}
        return {"weight": next(average.parameters()).sum().item(), "double_step": 2 * step}

    with SliceStore(store) as opened:
        return train(
            run,
            generator,
            discriminator,
            SliceDataset(opened, "train", rank=ranks.rank, world_size=ranks.world_size),
            sampling,
            config,
            validate=validate,
            resume=resume,
            profile=profile,
            device=ranks.device,
            ranks=ranks,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--steps", type=int, default=CONFIG.steps)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--batch", type=int, default=CONFIG.batch_size)
    parser.add_argument("--plain", action="store_true", help="as PLAIN and PLAIN_GENERATOR")
    parser.add_argument("--ahead", type=int, default=dataset.READ_AHEAD)
    options = parser.parse_args()
    dataset.READ_AHEAD = options.ahead
    chosen = PLAIN if options.plain else CONFIG
    torch.set_num_threads(1)
    with joined_ranks(torch.device("cpu")) as joined:
        small_run(
            options.store,
            options.run,
            replace(chosen, steps=options.steps, batch_size=options.batch),
            resume=options.resume,
            pause=options.pause,
            ranks=joined,
            generator_config=PLAIN_GENERATOR if options.plain else GENERATOR,
        )
