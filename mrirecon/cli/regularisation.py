"""`mrirecon tune-regularisation`: what weight a classical method's prior takes, by validation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from mrirecon.classical import MethodConfig, PriorConfig, get_method
from mrirecon.cli.runs import (
    CONFIG,
    EVALUATION_BATCH,
    PatternOption,
    choose_device,
    choose_pattern,
)
from mrirecon.cli.terminal import say
from mrirecon.config import RunConfig, load_config
from mrirecon.data import Measurement, SliceDataset, SliceStore, simulate
from mrirecon.evaluation import (
    CLASSICAL_METHODS,
    MethodName,
    TunedMethod,
    read_regularisation,
    write_regularisation,
)
from mrirecon.evaluation import tune_regularisation as tune_method
from mrirecon.sampling import Undersampling

REGULARISATION = "regularisation.yaml"
_TUNED = [name for name in CLASSICAL_METHODS if isinstance(get_method(name), PriorConfig)]
MethodsOption = Annotated[
    list[str] | None,
    typer.Option("--method", help=f"{', '.join(CLASSICAL_METHODS)}; may be given several times."),
]
TunedOption = Annotated[
    Path | None, typer.Option(help="File of `mrirecon tune-regularisation`; RUN's own if there.")
]


def tune_regularisation(
    run: Annotated[Path, typer.Argument(help="Folder of a run, which says how to undersample.")],
    method: MethodsOption = None,
    store: Annotated[
        Path | None, typer.Option(help="Store with the images; the run's own if not given.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, val or test.")] = "val",
    slices: Annotated[int, typer.Option(help="At most, at even distances over the split.")] = 32,
    out: Annotated[
        Path | None, typer.Option(help=f"File to write; RUN/{REGULARISATION} if not given.")
    ] = None,
    pattern: PatternOption = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:n].")] = "auto",
) -> None:
    """Find the regularisation of SENSE, total variation and l1-wavelets with the highest PSNR.

    `mrirecon evaluate --method` takes it from the run's folder, `mrirecon reconstruct --method`
    by --tuned.
    """
    if slices < 1:
        raise ValueError(f"--slices: expected 1 or more, got {slices}")
    names = check_methods(method or _TUNED)
    config = load_config(run / CONFIG)
    path = store or config.store
    with SliceStore(path) as opened:
        dataset = SliceDataset(opened, split)
        sampling = choose_pattern(config, pattern)
        measurements = _measure(dataset, config, sampling, slices, choose_device(device))
    tuned = {name: _tune(name, measurements) for name in names}
    target = out or run / REGULARISATION
    n_slices = sum(len(measurement.target) for measurement in measurements)
    write_regularisation(target, tuned, f"{n_slices} slices of split {split} of {path}")
    for name, found in tuned.items():
        say(f"best for {name}: {found.regularisation:.3g}, {found.psnr:.2f} dB")
    say(f"written: {target}")


def check_methods(names: Sequence[str]) -> Sequence[str]:
    """Refuse names of methods that are not scored.

    Raises:
        ValueError: no such method.
    """
    for name in names:
        if name not in CLASSICAL_METHODS:
            expected = ", ".join(CLASSICAL_METHODS)
            raise ValueError(f"--method: expected one of {expected}, got {name!r}")
    return names


def choose_methods(
    names: Sequence[str], tuned: Path | None, run: Path | None
) -> dict[MethodName, MethodConfig]:
    """Configure the methods that `evaluate` scores, with tuned regularisation if there is any.

    Args:
        names: of the methods.
        tuned: file of `mrirecon tune-regularisation`; None for the run's own if it is there.
        run: the one run that is scored; None for none or several, whose own file is not read.

    Raises:
        ValueError: no such method, or a damaged file.
        OSError: the file cannot be read.
    """
    own = None if run is None else run / REGULARISATION
    path = tuned or (own if own is not None and own.exists() else None)
    found = {} if path is None else read_regularisation(path)
    return {
        CLASSICAL_METHODS[name]: found.get(name, get_method(name)) for name in check_methods(names)
    }


def _tune(name: str, measurements: list[Measurement]) -> TunedMethod:
    def tell(weight: float, psnr: float) -> None:
        say(f"{name} {weight:.3g}: {psnr:.2f} dB")

    return tune_method(get_method(name), measurements, tell=tell)


def _measure(
    dataset: SliceDataset,
    config: RunConfig,
    sampling: Undersampling,
    n_slices: int,
    device: torch.device,
) -> list[Measurement]:
    """Simulate slices at even distances, as the run's evaluation would."""
    chosen = {len(dataset) * i // n_slices for i in range(n_slices)}
    measurements, first = [], 0
    for raw in dataset.batches(EVALUATION_BATCH):
        rows = [row for row in range(len(raw.images)) if first + row in chosen]
        first += len(raw.images)
        if rows:
            training = config.training
            measurements.append(
                simulate(
                    raw.take(rows).to(device),
                    sampling,
                    seed=training.seed,
                    simulation=training.simulation,
                )
            )
    return measurements
