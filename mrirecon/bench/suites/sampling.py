"""New masks for a whole batch, as each training step needs them: `sampling.mask_batch`."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from mrirecon.bench.case import Case, Problem, Setup, Way
from mrirecon.bench.suites.sampling_ways import DrawMask, by_choice, by_fastmri, by_sigpy
from mrirecon.sampling import STRATEGIES, SamplingConfig, Strategy, mask_batch
from mrirecon.sampling.config import FASTMRI_STRATEGIES, POINT_STRATEGIES

DENSITIES = ("random", "variable_density", "gaussian", *POINT_STRATEGIES[:-1])
SEED = 0
Size = tuple[int, int]
_TOLERANCES: dict[Strategy, float] = {
    "radial": 0.1,  # whole spokes, some of whose cells are shared
    "golden_angle": 0.1,
    "poisson_disc": 0.1,  # SigPy's own
}


def cases(setup: Setup) -> Iterator[Case]:
    """Yield all strategies; there is none on a GPU, since the CPU makes masks."""
    if setup.device.type != "cpu":
        return
    for strategy in STRATEGIES:
        size, acceleration, batch = ((32, 32), 4, 3) if setup.small else ((256, 256), 8, 64)
        if strategy == "poisson_disc":
            batch = min(batch, 4)  # each takes SigPy half a second
        # The lines of the calibration would come on top of every n-th.
        calibration = 0 if strategy == "every_nth" else None
        config = SamplingConfig(strategy, acceleration, calibration)
        yield Case(
            "sampling",
            f"{strategy}, {acceleration} times fewer, {batch} masks of {size[0]} x {size[1]}",
            partial(_make, config, size, batch),
            n_images=batch,
        )


def _make(config: SamplingConfig, size: Size, batch: int) -> Problem:
    slices = torch.arange(1, batch + 1)
    is_fastmri = config.strategy in FASTMRI_STRATEGIES

    def ours() -> Tensor:
        volumes = torch.zeros_like(slices)
        return mask_batch(config, size, seed=SEED, volumes=volumes, slices=slices, epoch=0)

    def one_by_one(draw: DrawMask) -> Tensor:
        return torch.stack([torch.from_numpy(draw((SEED, 0, i, 0))) for i in slices.tolist()])

    def fractions(masks: Tensor) -> Tensor:
        """Divide the share of samples of each mask by what is asked for."""
        return masks.flatten(1).double().mean(1) * config.acceleration

    def way(plan: Callable[[SamplingConfig, Size], DrawMask]) -> Way:
        run = partial(one_by_one, plan(config, size))
        return Way(run, _as_lines) if is_fastmri else Way(run, fractions)

    ways = {"mrirecon": lambda: Way(ours, _as_lines if is_fastmri else fractions)}
    for name, plan in _rivals(config.strategy).items():
        ways[name] = partial(way, plan)
    exact = _as_lines(one_by_one(by_fastmri(config, size))) if is_fastmri else torch.ones(batch)
    return Problem(
        ways=ways,
        expected=exact.double,
        tolerance=_TOLERANCES.get(config.strategy, 0.0),  # the same lines, or as many
    )


def _rivals(strategy: Strategy) -> dict[str, Callable[[SamplingConfig, Size], DrawMask]]:
    if strategy in FASTMRI_STRATEGIES:
        return {"fastMRI's formulas": by_fastmri}
    if strategy == "poisson_disc":
        return {"SigPy": by_sigpy}
    return {"NumPy: choice": by_choice} if strategy in DENSITIES else {}


def _as_lines(masks: Tensor) -> Tensor:
    """Return (batch, cols) of masks of lines."""
    return masks.flatten(1).double()
