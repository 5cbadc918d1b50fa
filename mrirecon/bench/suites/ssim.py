"""SSIM of images, alone and with its gradient as a loss: `ops.ssim`."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from mrirecon.bench.case import FASTEST, Case, Floors, Problem, Setup, Way
from mrirecon.bench.suites.operands import named
from mrirecon.bench.suites.ssim_ways import Measure, measures
from mrirecon.ops.ssim import WindowName

_WINDOWS: dict[WindowName, str] = {"uniform": "7 x 7 uniform", "gaussian": "11 x 11 Gaussian"}
# Additions and multiplications a pixel: five averages, by running sums or a row and a column of
# 11 weights, and 30 for what is made of them.
_OPERATIONS: dict[WindowName, int] = {"uniform": 5 * 4 + 30, "gaussian": 5 * 2 * 21 + 30}
_AIMS: dict[tuple[WindowName, int, bool], dict[str, float]] = {
    ("uniform", 16, False): {FASTEST: 2.5, "scikit-image": 16},
    ("uniform", 16, True): {FASTEST: 6.0},
    ("gaussian", 16, True): {"pytorch-msssim": 70},
    ("gaussian", 1, False): {FASTEST: 2.0},
    ("gaussian", 1, True): {FASTEST: 6.0},
}
NO_GRADIENT = ("scikit-image",)


def cases(setup: Setup) -> Iterator[Case]:
    """Yield both windows, a batch and one image, the value and the value with its gradient."""
    side = 24 if setup.small else 320
    for window in _WINDOWS:
        for batch in (16, 1):
            for has_gradient in (False, True):
                yield _case(setup, window, (batch, 1, side, side), has_gradient=has_gradient)
    for side in () if setup.small else (128, 192, 256, 384, 512, 768):
        yield _case(setup, "uniform", (4, 1, side, side), curve="SSIM of 4 images, by side")


def _case(
    setup: Setup,
    window: WindowName,
    size: tuple[int, ...],
    *,
    has_gradient: bool = False,
    curve: str = "",
) -> Case:
    kind = "with gradient" if has_gradient else "forward"
    return Case(
        "ssim",
        f"{_WINDOWS[window]}, {kind}, {named(size)}",
        partial(_make, setup.device, window, size, has_gradient=has_gradient),
        aims=_AIMS.get((window, size[0], has_gradient), {}),
        n_images=size[0],
        curve=curve,
        at=size[-1],
    )


def draw_images(size: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Draw smooth images with bright and dark flat parts, and the same with an error of 3 %."""
    random = torch.Generator().manual_seed(0)
    coarse = torch.rand(*size[:2], 20, 20, generator=random)
    target = functional.interpolate(coarse, size=size[2:], mode="bicubic").clamp(0, 1)
    prediction = (target + 0.03 * torch.randn(size, generator=random)).clamp(0, 1)
    return prediction.contiguous().to(device), target.contiguous().to(device)


def _make(
    device: torch.device, window: WindowName, size: tuple[int, ...], *, has_gradient: bool
) -> Problem:
    prediction, target = draw_images(size, device)
    ways: dict[str, Callable[[], Way]] = {}
    for name, make in measures(window, prediction).items():
        if not (has_gradient and name in NO_GRADIENT):
            ways[name] = partial(_way, make, prediction, target, has_gradient=has_gradient)

    def expected() -> Tensor:
        doubles = prediction.double(), target.double()
        exact = measures(window, doubles[0])["PyTorch: shifted slices"]
        way = _way(exact, *doubles, has_gradient=has_gradient)
        return way.result(way.run())

    return Problem(
        ways=ways,
        expected=expected,
        # of what subtracts squares in float32, and of its gradient; ours has 1e-7
        tolerance=1e-2 if has_gradient else 1e-4,
        floors=Floors(
            n_bytes=(12 if has_gradient else 8) * prediction.numel(),
            n_operations=(2 if has_gradient else 1) * _OPERATIONS[window] * prediction.numel(),
        ),
    )


def _way(
    make: Callable[[], Measure], prediction: Tensor, target: Tensor, *, has_gradient: bool
) -> Way:
    measure = make()
    if not has_gradient:
        return Way(partial(measure, prediction, target))

    def gradient() -> Tensor:
        image = prediction.detach().requires_grad_()
        return torch.autograd.grad(measure(image, target).sum(), image)[0]

    return Way(gradient)
