"""PSNR, NMSE and SSIM of a volume, as an evaluation scores it: `metrics.score_volume`."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import torch
from torch import Tensor

from mrirecon.bench.case import FASTEST, Case, Floors, Problem, Setup, Way
from mrirecon.bench.suites.metrics_ways import Scorer, plain_scores, scorers
from mrirecon.bench.suites.operands import named
from mrirecon.bench.suites.ssim import draw_images
from mrirecon.metrics import Protocol, get_protocol

# SSIM in the window of most code, over a volume, and in that which most packages have, by slice.
_AIMS = {"fastmri": {FASTEST: 3.0}, "wang2004": {}}


def cases(setup: Setup) -> Iterator[Case]:
    """Yield a volume of 32 slices by two protocols."""
    size = (3, 24, 26) if setup.small else (32, 320, 320)
    for name, aims in _AIMS.items():
        yield Case(
            "metrics",
            f"PSNR, NMSE and SSIM, protocol {name}, {named(size)}",
            partial(_make, setup, get_protocol(name), size),
            aims=aims,
            n_images=size[0],
        )


def _make(setup: Setup, protocol: Protocol, size: tuple[int, ...]) -> Problem:
    images = draw_images((size[0], 1, *size[1:]), setup.device)
    prediction, target = (image[:, 0] for image in images)

    @cache
    def exact() -> Tensor:
        doubles = prediction.double(), target.double()
        return torch.tensor(plain_scores(protocol, *doubles), dtype=torch.float64)

    def shares(scores: Sequence[float]) -> Tensor:
        """Divide each score by what is right, since PSNR is 40 times as large as SSIM."""
        return torch.tensor([float(score) for score in scores], dtype=torch.float64) / exact()

    def way(make: Callable[[], Scorer]) -> Way:
        return Way(partial(make(), prediction, target), shares)

    return Problem(
        ways={name: partial(way, make) for name, make in scorers(protocol, prediction).items()},
        expected=lambda: torch.ones(3, dtype=torch.float64),
        tolerance=1e-4,  # of SSIM that subtracts squares in float32; ours has 1e-7
        floors=Floors(n_bytes=8 * prediction.numel()),
    )
