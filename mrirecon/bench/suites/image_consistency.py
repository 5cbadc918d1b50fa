"""Data consistency of images: `fourier.enforce_image_consistency`, and with maps `weigh_kspace`."""

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

import torch

from mrirecon.bench.case import FASTEST, Case, Floors, Problem, Setup
from mrirecon.bench.suites.image_consistency_ways import (
    Operands,
    backward_ways,
    draw_operands,
    forward_ways,
)
from mrirecon.bench.suites.operands import named

BY_BATCH = "data consistency of images of 256 x 256, lines, by batch"
BY_SIDE = "data consistency of 4 images, points, by side"
_COMMON = "PyTorch: centred"
_TOLERANCE = 16 * 2.0**-24  # of two transforms in float32, a rounding for each stage of both


class _Bar(NamedTuple):
    has_maps: bool
    is_lines: bool


_AIMS: dict[_Bar, dict[str, float]] = {
    _Bar(has_maps=False, is_lines=True): {FASTEST: 2.5, _COMMON: 7.0},
    _Bar(has_maps=False, is_lines=False): {FASTEST: 1.6, _COMMON: 3.0},
    _Bar(has_maps=True, is_lines=True): {FASTEST: 2.0},
    _Bar(has_maps=True, is_lines=False): {FASTEST: 1.3},
}


def cases(setup: Setup) -> Iterator[Case]:
    """Yield a batch, and coils with maps; lines and points; forward, and with the gradient."""
    whole, with_maps = ((2, 1, 12, 10), (2, 3, 12, 10))
    if not setup.small:
        whole, with_maps = (16, 1, 256, 256), (4, 8, 320, 320)
    for size in (whole, with_maps):
        for is_lines in (True, False):
            aims = _AIMS[_Bar(size[1] > 1, is_lines)]
            for has_gradient in (False, True):
                is_on_curve = size == whole and is_lines and not has_gradient
                yield _case(
                    setup,
                    size,
                    is_lines=is_lines,
                    has_gradient=has_gradient,
                    aims=aims,
                    curve=BY_BATCH if is_on_curve else "",
                )
    if not setup.small:
        yield from _curves(setup)


def _curves(setup: Setup) -> Iterator[Case]:
    for batch in (1, 2, 4, 8, 32, 64):  # 16 is above
        yield _case(setup, (batch, 1, 256, 256), is_lines=True, curve=BY_BATCH)
    for side in (128, 192, 256, 384, 512, 768):
        yield _case(setup, (4, 1, side, side), is_lines=False, curve=BY_SIDE)


def _case(
    setup: Setup,
    size: tuple[int, ...],
    *,
    is_lines: bool,
    has_gradient: bool = False,
    aims: Mapping[str, float] = {},
    curve: str = "",
) -> Case:
    points = "lines" if is_lines else "points"
    direction = "with gradient" if has_gradient else "forward"
    maps = " with maps" if size[1] > 1 else ""
    return Case(
        "image_consistency",
        f"{direction}, {points}, {named(size)}{maps}",
        partial(_make, setup, size, is_lines=is_lines, has_gradient=has_gradient),
        aims=aims,
        n_images=size[0],
        curve=curve,
        at=size[0] if curve == BY_BATCH else size[-1],
    )


def _make(setup: Setup, size: tuple[int, ...], *, is_lines: bool, has_gradient: bool) -> Problem:
    operands = draw_operands(size, setup.device, is_lines=is_lines)
    plan = backward_ways if has_gradient else partial(forward_ways, threads=setup.threads)

    def expected() -> torch.Tensor:
        way = plan(operands.in_double())[_COMMON]()
        return way.result(way.run())

    return Problem(
        ways=plan(operands),
        expected=expected,
        tolerance=_TOLERANCE,
        floors=_floors(operands, has_gradient=has_gradient),
    )


def _floors(operands: Operands, *, has_gradient: bool) -> Floors:
    """Count two images read and one written, back one of each; maps are read each time."""
    maps = 0 if operands.maps is None else operands.maps.nbytes
    passes = 2 if has_gradient else 1
    images = 5 if has_gradient else 3

    def transforms() -> torch.Tensor:
        for _ in range(passes):
            spectrum = torch.fft.fftn(operands.measured, dim=operands.dims)
            result = torch.fft.ifftn(spectrum, dim=operands.dims)
        return result

    sizes = [operands.measured.shape[dim] for dim in operands.dims]
    butterflies = 2 * 5 * math.log2(math.prod(sizes))  # there and back, by radix 2
    return Floors(
        n_bytes=images * operands.image.nbytes + passes * maps,
        n_operations=passes * butterflies * operands.measured.numel(),
        transforms=transforms,
    )
