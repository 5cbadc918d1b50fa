"""`mrirecon sampling --image`: strategies compared on one image, as a table and a page."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.table import Table
from torch import Tensor

from mrirecon.cli.terminal import console, progress_bar, say
from mrirecon.data import Subject
from mrirecon.evaluation import (
    RECONSTRUCTIONS,
    StrategyResult,
    compare_strategies,
    explain_choice,
    explain_result,
    rank_strategies,
)
from mrirecon.metrics import get_protocol
from mrirecon.report import write_strategies
from mrirecon.sampling import (
    CANDIDATES,
    AcquisitionConfig,
    ScannerProfile,
    Undersampling,
    make_candidate,
)

PROTOCOL = "per_slice"


def compare(
    subject: Subject,
    slice_number: int | None,
    *,
    names: list[str] | None,
    acceleration: float,
    calibration: int | None,
    acquisition: AcquisitionConfig,
    profile: ScannerProfile,
    noise_std: float,
    seed: int,
    html: Path | None,
) -> None:
    """Bring strategies to one scan time, compare them on a slice, and tell which to take.

    Of all, those that cannot be so fast are left out, and named; of `names` they are errors.
    """
    if not 1 <= acceleration < math.inf:
        raise ValueError(f"--acceleration: expected 1 or more, got {acceleration:g}")
    image, number = _read_slice(subject, slice_number)
    describe = partial(
        make_candidate,
        shape=(image.shape[0], image.shape[1]),
        scan_time_factor=acceleration,
        acquisition=acquisition,
        profile=profile,
        calibration=calibration,
        seed=seed,
    )
    candidates, left_out = _describe_all(describe, names)
    protocol = get_protocol(PROTOCOL)
    with progress_bar("comparing") as bar:
        task = bar.add_task("", total=len(candidates))
        results = rank_strategies(
            compare_strategies(
                candidates,
                image,
                acquisition=acquisition,
                profile=profile,
                protocol=protocol,
                noise_std=noise_std,
                seed=seed,
                progress=lambda done, _name: bar.update(task, completed=done),
                on_error=left_out.__setitem__ if names is None else None,
            )
        )
    title = f"Sampling of {subject.name}, slice {number}, {acceleration:g} times shorter"
    _print(results, title)
    for name, error in left_out.items():
        say(f"left out: {name}: {error}")
    if html is not None:
        write_strategies(
            html, results, target=image, title=title, protocol=protocol, noise_std=noise_std
        )
        say(f"page: {html}")


def _describe_all(
    describe: Callable[[str], Undersampling], names: list[str] | None
) -> tuple[dict[str, Undersampling], dict[str, ValueError]]:
    """Describe the strategies of these names, or all that can be; give the errors of the others."""
    if names is not None:
        return {name: describe(name) for name in names}, {}
    candidates: dict[str, Undersampling] = {}
    left_out: dict[str, ValueError] = {}
    for name in CANDIDATES:
        try:
            candidates[name] = describe(name)
        except ValueError as error:
            left_out[name] = error
    return candidates, left_out


def _read_slice(subject: Subject, number: int | None) -> tuple[Tensor, int]:
    """Take a slice of a volume, the middle one unless it is named: real, (rows, cols)."""
    volume = subject.read_volume()
    chosen = len(volume) // 2 if number is None else number
    if not 0 <= chosen < len(volume):
        raise ValueError(f"--slice: expected 0 to {len(volume) - 1}, got {number}")
    return torch.from_numpy(np.ascontiguousarray(volume[chosen], dtype=np.float32)), chosen


def _print(results: list[StrategyResult], title: str) -> None:
    numbers = ["time [s]", "shorter", *(f"SSIM {name}" for name in RECONSTRUCTIONS)]
    table = Table("", "strategy", title=title)
    for heading in (*numbers, "peak lobe", "noise"):
        table.add_column(heading, justify="right")
    table.add_column("worth knowing")
    for place, result in enumerate(results, start=1):
        table.add_row(
            str(place) if result.feasibility.is_playable else "-",
            result.name,
            f"{result.feasibility.scan_time:.3g}",
            f"{result.feasibility.scan_time_factor:.2f}",
            *(f"{result.scores[name].ssim:.3f}" for name in RECONSTRUCTIONS),
            f"{result.side_lobes.peak:.0%}",
            f"{result.noise:.2f}",
            explain_result(result),
        )
    console.print(table)
    say(explain_choice(results))
