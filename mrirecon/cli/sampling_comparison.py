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
    Slab,
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
    SlabConfig,
    Undersampling,
    make_candidate,
)

PROTOCOL = "per_slice"
PHASE = 1.0
"""Root mean square of the simulated image's phase [rad], as gradient echoes have it."""
Candidate = Undersampling | SlabConfig


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
    volume, number = _read_volume(subject, slice_number)
    image = volume[number]
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
                slab=_cut_slab(volume, number, acquisition),
                acquisition=acquisition,
                profile=profile,
                protocol=protocol,
                noise_std=noise_std,
                phase=PHASE,
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
            html,
            results,
            target=image,
            title=title,
            protocol=protocol,
            noise_std=noise_std,
            phase=PHASE,
        )
        say(f"page: {html}")


def _describe_all(
    describe: Callable[[str], Candidate], names: list[str] | None
) -> tuple[dict[str, Candidate], dict[str, ValueError]]:
    """Describe the strategies of these names, or all that can be; give the errors of the others."""
    if names is not None:
        return {name: describe(name) for name in names}, {}
    candidates: dict[str, Candidate] = {}
    left_out: dict[str, ValueError] = {}
    for name in CANDIDATES:
        try:
            candidates[name] = describe(name)
        except ValueError as error:
            left_out[name] = error
    return candidates, left_out


def _read_volume(subject: Subject, number: int | None) -> tuple[Tensor, int]:
    """Read a volume, real, (depth, rows, cols), and choose its middle slice unless it is named."""
    volume = subject.read_volume()
    chosen = len(volume) // 2 if number is None else number
    if not 0 <= chosen < len(volume):
        raise ValueError(f"--slice: expected 0 to {len(volume) - 1}, got {number}")
    return torch.from_numpy(np.ascontiguousarray(volume, dtype=np.float32)), chosen


def _cut_slab(volume: Tensor, number: int, acquisition: AcquisitionConfig) -> Slab | None:
    """Take as many slices around the chosen one as there are partitions; None of too few."""
    depth = acquisition.n_partitions
    if not acquisition.is_3d or len(volume) < depth:
        return None
    first = min(max(0, number - depth // 2), len(volume) - depth)
    return Slab(volume[first : first + depth], number - first)


def _print(results: list[StrategyResult], title: str) -> None:
    numbers = ["time [s]", "shorter", *(f"SSIM {name}" for name in RECONSTRUCTIONS)]
    table = Table("", "strategy", title=title)
    for heading in (*numbers, "peak lobe", "noise"):
        table.add_column(heading, justify="right")
    for place, result in enumerate(results, start=1):
        table.add_row(
            str(place) if result.feasibility.is_playable else "-",
            result.name,
            f"{result.feasibility.scan_time:.3g}",
            f"{result.feasibility.scan_time_factor:.2f}",
            *(f"{result.scores[name].ssim:.3f}" for name in RECONSTRUCTIONS),
            f"{result.side_lobes.peak:.0%}",
            f"{result.noise:.2f}",
        )
    console.print(table)
    for remark, names in _remarks(results).items():
        say(f"{', '.join(names)}: {remark}")
    say(explain_choice(results))


def _remarks(results: list[StrategyResult]) -> dict[str, list[str]]:
    """Give what is worth knowing, with the strategies that share it.

    Beside the table's numbers a column of sentences was a letter wide.
    """
    shared: dict[str, list[str]] = {}
    for result in results:
        shared.setdefault(explain_result(result), []).append(result.name)
    return shared
