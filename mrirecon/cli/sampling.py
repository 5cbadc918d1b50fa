"""`mrirecon sampling`: look at an undersampling before it is used."""

from pathlib import Path
from typing import Annotated

import typer

from mrirecon.cli.terminal import say
from mrirecon.config import load_config
from mrirecon.sampling import (
    STRATEGIES,
    SamplingConfig,
    Strategy,
    make_mask,
    summarise,
    summarise_trajectory,
)
from mrirecon.sampling.picture import draw_masks, draw_trajectory


def sampling(
    out: Annotated[Path, typer.Option(help="PNG file to write.")] = Path("masks.png"),
    strategy: Annotated[
        list[str] | None, typer.Option(help=f"One or more of {', '.join(STRATEGIES)}.")
    ] = None,
    acceleration: Annotated[float, typer.Option(help="Asked for; what came is reported.")] = 4.0,
    calibration: Annotated[
        int | None, typer.Option(help="Fully sampled lines, or side of the square, at the centre.")
    ] = None,
    size: Annotated[tuple[int, int], typer.Option(help="Rows and columns of the image.")] = (
        256,
        256,
    ),
    config: Annotated[
        Path | None, typer.Option(help="Take the sampling of this run configuration instead.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the mask.")] = 0,
) -> None:
    """Draw masks with their point spread functions, and say what they measure.

    Without options every strategy is drawn at 4x.
    """
    if config is not None:
        settled = load_config(config, ["store=."])
        if settled.trajectory is not None:
            summary = summarise_trajectory(settled.trajectory, size)
            say(f"{settled.trajectory.kind}: {summary.describe()}")
            draw_trajectory(settled.trajectory, size, out, title=settled.trajectory.kind)
            say(f"picture: {out}")
            return
        chosen = [settled.sampling]
    else:
        names = strategy or list(STRATEGIES)
        chosen = [_describe(name, acceleration, calibration) for name in names]
    masks = []
    for entry in chosen:
        mask = make_mask(entry, size, seed=seed)
        summary = summarise(entry, mask, size)
        say(f"{entry.strategy}: {summary.describe()}")
        masks.append((entry.strategy.replace("_", " "), mask, summary))
    draw_masks(masks, out)
    say(f"picture: {out}")


def _describe(name: str, acceleration: float, calibration: int | None) -> SamplingConfig:
    if name not in STRATEGIES:
        raise ValueError(f"--strategy: expected one of {', '.join(STRATEGIES)}, got {name!r}")
    strategy: Strategy = name
    is_radial = name in ("radial", "golden_angle")
    return SamplingConfig(
        strategy=strategy,
        acceleration=acceleration,
        calibration=None if is_radial else calibration,
    )
