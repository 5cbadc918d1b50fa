"""`mrirecon train`: a configuration and a store in, a run folder out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from mrirecon.cli.runs import CONFIG, choose_device
from mrirecon.cli.terminal import say
from mrirecon.cli.validation import picturing, validation
from mrirecon.config import RunConfig, config_to_yaml, load_config, save_config
from mrirecon.data import SliceDataset, SliceStore
from mrirecon.models import Generator, PatchDiscriminator
from mrirecon.training import Ranks, find_batch_size, joined_ranks, start_from
from mrirecon.training import train as run_training
from mrirecon.training.ledger import total_memory
from mrirecon.training.log import METRICS


def train(
    run: Annotated[Path, typer.Argument(help="Folder of the run; made where it is missing.")],
    store: Annotated[
        Path | None, typer.Option(help="Store made by `mrirecon prepare`; overrides the file's.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="YAML file; without it, the paper's network, with a discriminator."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="One key of the configuration: `training.steps=2000`."),
    ] = None,
    resume: Annotated[
        bool, typer.Option(help="Go on from the last checkpoint, with the run's configuration.")
    ] = False,
    init_from: Annotated[
        Path | None, typer.Option(help="Run whose best generator this one starts from.")
    ] = None,
    init_strict: Annotated[
        bool, typer.Option("--init-strict", help="Refuse --init-from where a weight is unlike.")
    ] = False,
    batch: Annotated[
        str | None, typer.Option(help="Slices at once; auto: as many as --max-memory holds.")
    ] = None,
    max_memory: Annotated[
        float | None,
        typer.Option(help="Of --batch auto, [GiB]; 80 % of all there is if not given."),
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="Write a trace of steps 6 to 10 to this .json file.")
    ] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Log for TensorBoard too, with pictures.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:n].")] = "auto",
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Print every key with its value, and end.")
    ] = False,
) -> None:
    """Train a generator, against a discriminator if asked, to reconstruct undersampled slices.

    `mrirecon train runs/first --store store.h5 --set training.steps=2000` trains; the same with
    `--resume` goes on after a stop, to the same numbers as a run that was never stopped. Started by
    `torchrun --nproc-per-node 4 -m mrirecon train ...` four processes train together.
    """
    settings = [] if store is None else [f"store={store}"]
    settings += overrides or []
    settings += ["training.tensorboard=true"] if tensorboard else []
    settings += [f"training.batch_size={batch}"] if batch not in (None, "auto") else []
    if max_memory is not None and batch != "auto":
        raise ValueError(f"--max-memory: expected with --batch auto alone, got {max_memory:g}")
    if resume and batch is not None:
        raise ValueError(f"--batch: expected none with --resume, which keeps it, got {batch}")
    saved = run / CONFIG
    if resume and not saved.is_file():
        raise FileNotFoundError(f"{run}: nothing to resume ({CONFIG} is missing)")
    if resume and config is not None:
        raise ValueError("--config: expected none with --resume, which takes the run's own")
    if not resume and (run / METRICS).exists():
        raise FileExistsError(f"{run}: holds a run already; use --resume or another folder")
    settled = load_config(saved if resume else config, settings)
    if show_config:
        say(config_to_yaml(settled).rstrip())
        return
    if resume:
        _require_same_task(load_config(saved), settled)
    if resume and init_from is not None:
        raise ValueError("--init-from: expected none with --resume, which has weights, got one")
    with joined_ranks(choose_device(device)) as ranks:
        if batch == "auto":
            settled = fit_batch(settled, ranks, max_memory)
        train_run(
            run,
            settled,
            ranks,
            resume=resume,
            init_from=init_from,
            init_strict=init_strict,
            profile=profile,
        )
        if ranks.is_first:
            say(f"done; score it with: mrirecon evaluate {run}")


def train_run(
    run: Path,
    config: RunConfig,
    ranks: Ranks,
    *,
    resume: bool,
    init_from: Path | None = None,
    init_strict: bool = False,
    profile: Path | None = None,
    follow: Callable[[int, dict[str, float]], None] | None = None,
) -> Generator:
    """Train as configured and return the averaged generator.

    Args:
        run: folder of the run.
        config: of the run.
        ranks: this process among those that train together; `alone(device)` for one.
        resume: go on from the last checkpoint.
        init_from: run folder or checkpoint whose weights the generator starts from.
        init_strict: refuse it where a weight is missing or of another shape.
        profile: file for a trace of a few steps.
        follow: called with the steps done and the scores of each validation.

    Raises:
        ValueError, OSError: see `mrirecon.training.train` and `SliceStore`.
    """
    with SliceStore(config.store) as store:
        dataset = SliceDataset(store, "train", rank=ranks.rank, world_size=ranks.world_size)
        torch.manual_seed(config.training.seed)
        generator = Generator(config.generator)
        if init_from is not None:
            told = start_from(generator, init_from, strict=init_strict)
            if ranks.is_first:
                say(told)
        adversarial = config.training.losses.adversarial > 0
        discriminator = PatchDiscriminator(config.discriminator) if adversarial else None
        has_validation = "val" in store.splits
        validate = validation(store, config, ranks.device, follow) if has_validation else None
        show = picturing(store, config, ranks.device) if has_validation else None
        if ranks.is_first:
            save_config(config, run / CONFIG)
        return run_training(
            run,
            generator,
            discriminator,
            dataset,
            config.undersampling,
            config.training,
            device=ranks.device,
            validate=validate,
            show=show,
            resume=resume,
            profile=profile,
            ranks=ranks,
        )


def fit_batch(config: RunConfig, ranks: Ranks, max_memory: float | None) -> RunConfig:
    """Set the batch size to the largest that fits into so much memory [GiB], and say so."""
    limit = 0.8 * total_memory(ranks.device) if max_memory is None else max_memory * 2**30
    with SliceStore(config.store) as store:
        adversarial = config.training.losses.adversarial > 0
        found = find_batch_size(
            Generator(config.generator),
            PatchDiscriminator(config.discriminator) if adversarial else None,
            SliceDataset(store, "train", rank=ranks.rank, world_size=ranks.world_size),
            config.undersampling,
            config.training,
            device=ranks.device,
            max_memory=int(limit),
        )
    if ranks.is_first:
        tried = ", ".join(f"{size}: {peak / 2**30:.2f}" for size, peak in found.trials.items())
        say(
            f"batch of {found.size}: {found.peak / 2**30:.2f} GiB of {limit / 2**30:.2f}; "
            f"tried (slices: GiB) {tried}"
        )
    size = ranks.least(found.size)
    return config.model_copy(update={"training": replace(config.training, batch_size=size)})


def _require_same_task(saved: RunConfig, settled: RunConfig) -> None:
    for key in ("sampling", "trajectory", "mixture", "generator", "discriminator"):
        if getattr(saved, key) != getattr(settled, key):
            raise ValueError(f"--set {key}: expected the run's own with --resume, got another")
