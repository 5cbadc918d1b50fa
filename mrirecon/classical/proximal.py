"""Fit images to a measurement under a prior that has no gradient, by accelerated proximal steps.

Sources: FISTA, Beck and Teboulle 2009 (DOI 10.1137/080716542); its restart, O'Donoghue and Candes
2015 (DOI 10.1007/s10208-013-9150-3).
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Proximal = Callable[[Tensor], Tensor]


class Descent(NamedTuple):
    """What `proximal_gradient` found, and how it got there."""

    x: Tensor
    """(batch, ...), shape and dtype of the right-hand side."""
    changes: Tensor
    """(n_steps, batch), real: |x_new - x| / |x_new| of each step."""


@torch.no_grad()
def proximal_gradient(
    normal: Callable[[Tensor], Tensor],
    right_hand_side: Tensor,
    proximal: Proximal,
    *,
    step: Tensor,
    n_iterations: int,
    tolerance: float,
) -> Descent:
    """Minimise <x, A x> / 2 - Re <b, x> + R(x) for each element of a batch, from x = b.

    z is x extrapolated by momentum; x <- proximal(z - step (A z - b)). The momentum starts anew
    where it points uphill, Re <z - x_new, x_new - x> > 0. Every element has its own momentum, and
    is left alone once its step changes it by `tolerance` or less of its norm.

    Args:
        normal: the operator A, Hermitian and positive semidefinite on each batch element.
        right_hand_side: b, real or complex floating, (batch, 1, rows, cols) or (batch, 1, depth,
            rows, cols).
        proximal: v -> argmin over x of |x - v|^2 / 2 + step R(x).
        step: real, (batch, 1, ...) of as many axes, one over the largest eigenvalue of A, or less.
        n_iterations: steps at most, 1 or more.
        tolerance: relative change at which an element is done, at least 0 and below 1; with 0 all
            iterations are executed, and the host never waits for the device.

    Returns:
        The solution and the course of its changes; no gradients. A NaN stays in its own element.

    Raises:
        ValueError: n_iterations or tolerance not as above.
    """
    if n_iterations < 1:
        raise ValueError(f"n_iterations: expected 1 or more, got {n_iterations}")
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance: expected at least 0 and below 1, got {tolerance}")
    x = z = right_hand_side
    momentum = torch.ones_like(step)
    is_open = torch.ones_like(step, dtype=torch.bool)
    changes = []
    for _ in range(n_iterations):
        x_new = proximal(z - step * (normal(z) - right_hand_side))
        difference = x_new - x
        is_uphill = _dot(z - x_new, difference) > 0
        length = _dot(x_new, x_new).sqrt()
        change = _dot(difference, difference).sqrt() / torch.where(length > 0, length, 1)
        x = torch.where(is_open, x_new, x)
        changes.append(torch.where(is_open, change, 0))
        is_open = is_open & ~(change <= tolerance)
        if tolerance > 0 and not is_open.any():
            break
        last = torch.where(is_uphill, 1, momentum)
        momentum = (1 + (1 + 4 * last.square()).sqrt()) / 2
        z = x_new + torch.where(is_uphill, 0, (last - 1) / momentum) * difference
    return Descent(x, torch.stack(changes).flatten(1))


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Return Re <a, b> of each batch element, (batch, 1, ...), of as many axes."""
    n_axes = a.ndim
    if a.is_complex():
        a, b = torch.view_as_real(a), torch.view_as_real(b)
    return (a * b).flatten(1).sum(1).view(-1, *[1] * (n_axes - 1))
