"""Coil images made of an image and joined to one: `ops.expand_coils` and `ops.combine_coils`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from mrirecon import ops
from mrirecon.bench.case import Case, Floors, Problem, Setup, Way
from mrirecon.bench.suites.operands import (
    by_cupy,
    compiled,
    in_double,
    named,
    random_complex,
    with_gradients,
)
from mrirecon.reference import coils as reference

Kind = Literal["expand", "combine", "combine with gradient"]
Operator = Callable[[Tensor, Tensor], Tensor]
KINDS: tuple[Kind, ...] = ("expand", "combine", "combine with gradient")
BY_COILS = "combination of coils of 4 images of 320 x 320, shared maps, by coils"
_EPS = 2.0**-24  # a rounding in float32


@dataclass(frozen=True)
class _Operands:
    """An image (batch, 1, rows, cols), maps (batch or 1, coils, rows, cols) and coil images."""

    image: Tensor
    maps: Tensor
    coil_images: Tensor

    def in_double(self) -> "_Operands":
        return _Operands(*map(in_double, (self.image, self.maps, self.coil_images)))

    @property
    def nbytes(self) -> int:
        return self.image.nbytes + self.maps.nbytes + self.coil_images.nbytes


# Of a coil's pixel: a complex product; one and a sum; those of combining, and back two products.
_OPERATIONS: dict[Kind, int] = {"expand": 6, "combine": 8, "combine with gradient": 8 + 6 + 8}


def cases(setup: Setup) -> Iterator[Case]:
    """Yield one image of many coils, a batch with its own maps, and one that shares maps."""
    side = 12 if setup.small else 320
    for batch, n_maps, n_coils in ((1, 1, 16), (4, 4, 8), (4, 1, 8)):
        for kind in KINDS:
            is_on_curve = kind == "combine" and (batch, n_maps) == (4, 1)
            curve = BY_COILS if is_on_curve and not setup.small else ""
            yield _case(setup, kind, (batch, n_coils, side, side), n_maps, curve)
    for n_coils in () if setup.small else (1, 2, 4, 16, 32):  # 8 is above
        yield _case(setup, "combine", (4, n_coils, side, side), 1, BY_COILS)


def _case(setup: Setup, kind: Kind, size: tuple[int, ...], n_maps: int, curve: str) -> Case:
    shared = ", shared maps" if n_maps < size[0] else ""
    return Case(
        "coils",
        f"{kind}, {named(size)}{shared}",
        partial(_make, setup.device, kind, size, n_maps),
        n_images=size[0],
        curve=curve,
        at=size[1],
    )


def _make(device: torch.device, kind: Kind, size: tuple[int, ...], n_maps: int) -> Problem:
    batch, n_coils, *plane = size
    sizes = (batch, 1, *plane), (n_maps, n_coils, *plane), size
    operands = _Operands(*(random_complex(s, device, seed=i) for i, s in enumerate(sizes)))
    return Problem(
        ways=_ways(kind, operands),
        expected=lambda: _exact(kind, operands.in_double()),
        tolerance=(16 + n_coils) * _EPS,  # of a product, and of sums one after another
        # all read or written once; back, twice: coil images and maps each have a gradient
        floors=Floors(
            n_bytes=(3 if kind == "combine with gradient" else 1) * operands.nbytes,
            n_operations=_OPERATIONS[kind] * operands.coil_images.numel(),
        ),
    )


def _ways(kind: Kind, operands: _Operands) -> dict[str, Callable[[], Way]]:
    found: dict[str, Callable[[], Way]] = {
        name: partial(_way, kind, make, operands) for name, make in _operators(kind).items()
    }
    if kind == "combine with gradient":
        return found
    function = _expand_arrays if kind == "expand" else _combine_arrays
    first = operands.image if kind == "expand" else operands.coil_images
    found["NumPy"] = lambda: Way(partial(function, None, first.numpy(), operands.maps.numpy()))
    found["cupy"] = lambda: Way(by_cupy(function, first, operands.maps))
    return found


def _operators(kind: Kind) -> dict[str, Callable[[], Operator]]:
    if kind == "expand":
        return {
            "mrirecon": lambda: ops.expand_coils,
            "PyTorch: product": lambda: reference.expand_coils,
            "torch.compile: product": lambda: compiled(reference.expand_coils),
        }
    return {
        "mrirecon": lambda: ops.combine_coils,
        "PyTorch: sum of products": lambda: reference.combine_coils,
        "PyTorch: einsum": lambda: _einsum,
        "torch.compile: sum of products": lambda: compiled(reference.combine_coils),
    }


def _einsum(coil_images: Tensor, maps: Tensor) -> Tensor:
    maps = maps.conj().expand_as(coil_images)
    return torch.einsum("bc...,bc...->b...", maps, coil_images)[:, None]


def _way(kind: Kind, make: Callable[[], Operator], operands: _Operands) -> Way:
    operator = make()
    image, maps, coil_images = operands.image, operands.maps, operands.coil_images
    if kind == "expand":
        return Way(partial(operator, image, maps))
    if kind == "combine":
        return Way(partial(operator, coil_images, maps))
    return with_gradients(operator, (coil_images, maps), image)


def _exact(kind: Kind, operands: _Operands) -> Tensor:
    exact = reference.expand_coils if kind == "expand" else reference.combine_coils
    way = _way(kind, lambda: exact, operands)
    return way.result(way.run())


def _expand_arrays(xp: Any, image: Any, maps: Any) -> Any:
    return maps * image


def _combine_arrays(xp: Any, coil_images: Any, maps: Any) -> Any:
    return (maps.conj() * coil_images).sum(1, keepdims=True)
