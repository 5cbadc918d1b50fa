"""Measured samples put into predicted k-space, and blended with it: `ops.enforce_consistency`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from mrirecon import ops
from mrirecon.bench.case import Case, Floors, Problem, Setup, Way
from mrirecon.bench.suites.operands import (
    by_cupy,
    compiled,
    in_double,
    kspace_sizes,
    named,
    random_complex,
    with_gradients,
)
from mrirecon.reference import consistency as reference

Kind = Literal["hard", "soft", "soft with gradient"]
Enforce = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
KINDS: tuple[Kind, ...] = ("hard", "soft", "soft with gradient")
WEIGHT = 0.7
MEASURED = 0.25  # of the samples
_EPS = 2.0**-24  # a rounding in float32


@dataclass(frozen=True)
class _Operands:
    """What is joined: k-space (batch, coils, rows, cols) of both, a mask, a weight ()."""

    prediction: Tensor
    measured: Tensor
    mask: Tensor
    weight: Tensor

    def in_double(self) -> "_Operands":
        return _Operands(*map(in_double, (self.prediction, self.measured, self.mask, self.weight)))


def cases(setup: Setup) -> Iterator[Case]:
    """Yield both forms, and the gradients of the soft one, for masks of lines and of points."""
    for size in kspace_sizes(setup):
        for mask_size in (size[-1:], size[-2:]):
            for kind in KINDS:
                points = "lines" if len(mask_size) == 1 else "points"
                yield Case(
                    "consistency",
                    f"{kind}, {points}, {named(size)}",
                    partial(_make, setup.device, size, mask_size, kind),
                    n_images=size[0] * size[1],
                )


def _make(
    device: torch.device, size: tuple[int, ...], mask_size: tuple[int, ...], kind: Kind
) -> Problem:
    generator = torch.Generator().manual_seed(1)
    operands = _Operands(
        random_complex(size, device, seed=0),
        random_complex(size, device, seed=1),
        (torch.rand(mask_size, generator=generator) < MEASURED).to(device),
        torch.tensor(WEIGHT, device=device),
    )
    functions = _hard() if kind == "hard" else _soft()
    grad_out = random_complex(size, device, seed=2) if kind == "soft with gradient" else None
    ways = {name: partial(_way, make, operands, grad_out) for name, make in functions.items()}
    if grad_out is None:
        ways["NumPy"] = partial(_by_numpy, operands, is_soft=kind == "soft")
        ways["cupy"] = partial(_by_cupy, operands, is_soft=kind == "soft")

    def expected() -> Tensor:
        grad = None if grad_out is None else in_double(grad_out)
        way = _way(
            lambda: _exact_hard if kind == "hard" else _soft_where, operands.in_double(), grad
        )
        return way.result(way.run())

    share = float(operands.mask.float().mean())
    # Prediction read, result written, and what is measured read; back: gradient read and written,
    # and both read where measured, for the gradient of the weight.
    passes = 2 + share if grad_out is None else 4 + 3 * share
    return Problem(
        ways=ways,
        expected=expected,
        # none is rounded; a sum, two products and a quotient; and a sum over a tree for the weight
        tolerance={"hard": 0.0, "soft": 16 * _EPS, "soft with gradient": 160 * _EPS}[kind],
        floors=Floors(n_bytes=round(passes * operands.prediction.nbytes)),
    )


def _hard() -> dict[str, Callable[[], Enforce]]:
    """Return what makes each way of replacing."""
    return {
        "mrirecon": lambda: lambda p, m, mask, w: ops.enforce_consistency(p, m, mask),
        "PyTorch: where": lambda: _exact_hard,
        "PyTorch: sum of products": lambda: lambda p, m, mask, w: mask * m + (~mask) * p,
        "torch.compile": lambda: compiled(_exact_hard),
    }


def _soft() -> dict[str, Callable[[], Enforce]]:
    """Return what makes each way of blending."""
    return {
        "mrirecon": lambda: (
            lambda p, m, mask, w: ops.enforce_consistency(p, m, mask, noise_weight=w)
        ),
        "PyTorch: where": lambda: _soft_where,
        "PyTorch: weighted difference": lambda: _soft_difference,
        "torch.compile": lambda: compiled(_soft_difference),
    }


def _exact_hard(prediction: Tensor, measured: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    return reference.enforce_consistency(prediction, measured, mask)


def _soft_where(prediction: Tensor, measured: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    return reference.enforce_consistency(prediction, measured, mask, noise_weight=weight)


def _soft_difference(prediction: Tensor, measured: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    return prediction + (mask * (weight / (1 + weight))) * (measured - prediction)


def _way(make: Callable[[], Enforce], operands: _Operands, grad_out: Tensor | None) -> Way:
    enforce = make()
    prediction, weight = operands.prediction, operands.weight
    measured, mask = operands.measured, operands.mask
    if grad_out is None:
        return Way(lambda: enforce(prediction, measured, mask, weight))
    return with_gradients(
        lambda p, w: enforce(p, measured, mask, w), (prediction, weight), grad_out
    )


def _by_numpy(operands: _Operands, *, is_soft: bool) -> Way:
    prediction, measured = operands.prediction.numpy(), operands.measured.numpy()
    mask = operands.mask.numpy()
    if not is_soft:
        return Way(lambda: np.where(mask, measured, prediction))
    factor = (mask * (WEIGHT / (1 + WEIGHT))).astype(np.float32)
    return Way(lambda: prediction + factor * (measured - prediction))


def _by_cupy(operands: _Operands, *, is_soft: bool) -> Way:
    def join(xp: Any, prediction: Any, measured: Any, mask: Any) -> Any:
        if is_soft:
            factor = mask * prediction.real.dtype.type(WEIGHT / (1 + WEIGHT))
            return prediction + factor * (measured - prediction)
        return xp.where(mask != 0, measured, prediction)

    return Way(by_cupy(join, operands.prediction, operands.measured, operands.mask))
