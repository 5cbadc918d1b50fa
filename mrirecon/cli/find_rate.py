"""`mrirecon find-rate`: which learning rate to train with, before a long training starts."""

from pathlib import Path
from typing import Annotated

import torch
import typer

from mrirecon.cli.runs import choose_device
from mrirecon.cli.terminal import say
from mrirecon.config import load_config
from mrirecon.data import SliceDataset, SliceStore
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.tuning import draw_rates, search_rates


def find_rate(
    out: Annotated[Path, typer.Option(help="Picture to write, .png.")],
    store: Annotated[
        Path | None, typer.Option(help="Store made by `mrirecon prepare`; overrides the file's.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="YAML file of the training to come, as `train` takes it.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="One key of it: `training.batch_size=8`.")
    ] = None,
    low: Annotated[float, typer.Option(help="First learning rate.")] = 1e-6,
    high: Annotated[float, typer.Option(help="Last learning rate.")] = 1.0,
    steps: Annotated[int, typer.Option(help="From the first to the last.")] = 100,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:n].")] = "auto",
) -> None:
    """Take a step at each of many learning rates, and say and draw which one to train with.

    Training wants about a tenth of the rate at which the loss is lowest, beyond which it rises.
    """
    if out.suffix != ".png":
        raise ValueError(f"--out: expected a name ending in .png, got {out.name}")
    settings = [] if store is None else [f"store={store}"]
    settled, chosen = load_config(config, settings + (overrides or [])), choose_device(device)
    torch.manual_seed(settled.training.seed)
    adversarial = settled.training.losses.adversarial > 0
    with SliceStore(settled.store) as opened:
        found = search_rates(
            Generator(settled.generator),
            PatchDiscriminator(settled.discriminator) if adversarial else None,
            SliceDataset(opened, "train"),
            settled.undersampling,
            settled.training,
            device=chosen,
            low=low,
            high=high,
            n_steps=steps,
        )
    draw_rates(found, out)
    say(
        f"lowest loss at a learning rate of {found.lowest:.2g}; take a tenth: "
        f"--set training.learning_rate={found.suggested:.2g}"
    )
    say(f"picture: {out}")
