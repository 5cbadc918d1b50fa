"""Turn a comparison of sampling strategies into one HTML page with a table to sort."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mrirecon.evaluation import RECONSTRUCTIONS, StrategyResult, explain_choice, explain_result
from mrirecon.files import atomic_path
from mrirecon.metrics import Protocol
from mrirecon.report.page import render_page
from mrirecon.report.pictures import grey_uri, mask_uri, spread_picture_uri
from mrirecon.report.tables import format_number
from mrirecon.sampling.picture import FLOOR, decibels


@dataclass(frozen=True)
class Cell:
    """A number of the table: its text, and the value it is sorted by."""

    text: str
    value: float
    is_best: bool = False


@dataclass(frozen=True)
class StrategyView:
    """One strategy: its row of the table, and its pictures."""

    name: str
    cells: tuple[Cell, ...]
    is_playable: bool
    remark: str
    described: str
    played: str
    mask: str
    spread: str
    pictures: tuple[tuple[str, str, str], ...]
    """(title, score, picture) of each reconstruction."""


HEADINGS = (
    ("scan time", "s"),
    ("shorter", "times"),
    ("measured", "%"),
    *((f"SSIM {method}", "") for method in RECONSTRUCTIONS),
    *((f"PSNR {method}", "dB") for method in RECONSTRUCTIONS),
    ("peak side lobe", "%"),
    ("RMS side lobe", "%"),
    ("noise", "times"),
)
"""Of the table's numbers, with their unit."""
N_TIMES = 3
"""Headings before the scores."""
WHITE = 0.998
"""Quantile of the fully sampled image that is shown white: few bright pixels darken no anatomy."""


def write_strategies(
    path: Path,
    results: Sequence[StrategyResult],
    *,
    target: Tensor,
    title: str,
    protocol: Protocol,
    noise_std: float,
    phase: float,
) -> None:
    """Write a self-contained HTML page about a comparison of strategies.

    Pictures are inlined. The page's one script sorts the table; it allows itself that script alone,
    by its hash, and no link. All text is escaped.

    Args:
        path: the .html file to write; replaced as a whole or left as it was.
        results: at least one, as ranked.
        target: real, (rows, cols), the fully sampled image.
        title: what was measured.
        protocol: of the scores.
        noise_std: of the simulated scan.
        phase: of the simulated image, root mean square [rad].

    Raises:
        OSError: the file cannot be written.
    """
    page = render_strategies(
        results,
        target=target,
        title=title,
        protocol=protocol,
        noise_std=noise_std,
        phase=phase,
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render_strategies(
    results: Sequence[StrategyResult],
    *,
    target: Tensor,
    title: str,
    protocol: Protocol,
    noise_std: float,
    phase: float,
) -> str:
    """Make the page of `write_strategies` as text; equal results give equal text."""
    feasibility = results[0].feasibility
    unit = target.float() / target.max()
    white = float(torch.quantile(unit, WHITE))
    return render_page(
        "strategies.html",
        styles=("strategies.css",),
        scripts=("tables.js",),
        title=title,
        choice=explain_choice(results),
        profile=feasibility.profile,
        acquisition=feasibility.acquisition,
        headings=HEADINGS,
        views=[_lay_out(result, results, white) for result in results],
        target=grey_uri(unit, upper=white),
        white=f"{white:.2g}",
        protocol=protocol,
        noise_std=f"{noise_std:g}",
        phase=f"{phase:g}",
        spread_floor=f"{FLOOR:.0f}".replace("-", "\N{MINUS SIGN}"),
    )


def _lay_out(
    result: StrategyResult, results: Sequence[StrategyResult], white: float
) -> StrategyView:
    scores = result.scores
    return StrategyView(
        name=result.name,
        cells=_cells(result, results),
        is_playable=result.feasibility.is_playable,
        remark=explain_result(result),
        described=result.summary.describe(),
        played=result.feasibility.describe(),
        mask=mask_uri(result.mask),
        spread=spread_picture_uri(decibels(result.spread)),
        pictures=tuple(
            (
                method,
                f"SSIM {format_number(scores[method].ssim, 3)}, "
                f"{format_number(scores[method].psnr, 1)} dB",
                grey_uri(image, upper=white),
            )
            for method, image in result.images.items()
        ),
    )


def _cells(result: StrategyResult, results: Sequence[StrategyResult]) -> tuple[Cell, ...]:
    rows = [_numbers(other) for other in results]
    cells = []
    for index, (value, digits) in enumerate(_numbers(result)):
        is_score = N_TIMES <= index < N_TIMES + 2 * len(RECONSTRUCTIONS)
        is_best = is_score and value == max(row[index][0] for row in rows)
        cells.append(Cell(format_number(value, digits), value, is_best))
    return tuple(cells)


def _numbers(result: StrategyResult) -> list[tuple[float, int]]:
    """List the values of `HEADINGS`, each with its digits behind the point."""
    scores = [result.scores[method] for method in RECONSTRUCTIONS]
    return [
        (result.feasibility.scan_time, 2),
        (result.feasibility.scan_time_factor, 2),
        (100 / result.summary.acceleration, 1),
        *((score.ssim, 3) for score in scores),
        *((score.psnr, 1) for score in scores),
        (100 * result.side_lobes.peak, 1),
        (100 * result.side_lobes.rms, 2),
        (result.noise, 2),
    ]
