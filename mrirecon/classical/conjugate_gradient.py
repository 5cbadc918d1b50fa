"""Solve a batch of linear least-squares problems by conjugate gradients.

Source: Hestenes and Stiefel 1952 (DOI 10.6028/jres.049.044), section 3.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Solution(NamedTuple):
    """What `conjugate_gradient` found, and how it got there."""

    x: Tensor
    """(batch, ...), shape and dtype of the right-hand side."""
    residuals: Tensor
    """(n_steps + 1, batch), real, no gradient: |b - A x| / |b| at first and after each step."""


def conjugate_gradient(
    normal: Callable[[Tensor], Tensor],
    right_hand_side: Tensor,
    *,
    n_iterations: int,
    tolerance: float,
) -> Solution:
    """Solve A x = b for each element of a batch, from x = 0.

    Every element has its own steps: its result does not depend on what else is in the batch, and
    once its |b - A x| <= tolerance |b| it is left alone. A search direction without curvature,
    p* A p <= 0, changes nothing. The residual is carried along, not computed anew, and drifts from
    b - A x by rounding: about 1e-6 |b| in complex64.

    With tolerance 0 all iterations are executed and the host never waits for the device, so that
    the whole solution can be compiled or captured in a CUDA graph; above 0 it waits once for each
    iteration. Differentiable in `right_hand_side`, and in whatever `normal` depends on, through
    every step.

    Args:
        normal: the operator A, Hermitian and positive semidefinite on each batch element; takes
            and returns (batch, ...).
        right_hand_side: b, real or complex floating, (batch, ...), in the range of A.
        n_iterations: steps at most, 1 or more.
        tolerance: relative residual at which an element is done, at least 0 and below 1.

    Returns:
        The solution and the course of its residuals. A NaN stays in its own batch element.

    Raises:
        ValueError: an argument is not as above, or `normal` changes the shape.

    Examples:
        >>> import torch
        >>> from mrirecon.classical import conjugate_gradient
        >>> diagonal = torch.tensor([[1.0, 2.0, 4.0]])
        >>> ones = torch.ones(1, 3)
        >>> solution = conjugate_gradient(diagonal.mul, ones, n_iterations=3, tolerance=0)
        >>> solution.x.round(decimals=4)
        tensor([[1.0000, 0.5000, 0.2500]])
    """
    _check(right_hand_side, n_iterations, tolerance)
    x = torch.zeros_like(right_hand_side)  # (batch, ...)
    residual = direction = right_hand_side
    energy = _dot(residual, residual)  # (batch,)
    norms = [energy.detach().sqrt()]
    for _ in range(n_iterations):
        is_open = ~(norms[-1] <= tolerance * norms[0])  # NaN is open, so that it shows
        if tolerance > 0 and not is_open.any():
            break
        image = normal(direction)
        if image.shape != x.shape:
            raise ValueError(f"normal: expected {tuple(x.shape)} back, got {tuple(image.shape)}")
        curvature = _dot(direction, image)
        moves = is_open & ~(curvature <= 0)
        step = _quotient(energy, curvature, moves)
        x = _add(x, step, direction)
        residual = _add(residual, -step, image)
        last_energy, energy = energy, _dot(residual, residual)
        direction = _add(residual, _quotient(energy, last_energy, moves), direction)
        norms.append(energy.detach().sqrt())
    curve = torch.stack(norms)
    return Solution(x, _quotient(curve, norms[0], ~(norms[0] <= 0)))


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Return Re <a, b> of each batch element, (batch,)."""
    return (_as_real(a) * _as_real(b)).sum(1)


def _as_real(x: Tensor) -> Tensor:
    return (torch.view_as_real(x) if x.is_complex() else x).flatten(1)


def _quotient(a: Tensor, b: Tensor, where: Tensor) -> Tensor:
    """Return a / b where asked, else 0; what is not asked for has no gradient either."""
    return torch.where(where, a, 0) / torch.where(where, b, 1)


def _add(x: Tensor, factor: Tensor, y: Tensor) -> Tensor:
    """Return x + factor y, one factor for each batch element."""
    return x + factor.view(-1, *[1] * (y.ndim - 1)) * y


def _check(right_hand_side: Tensor, n_iterations: int, tolerance: float) -> None:
    dtype, shape = right_hand_side.dtype, tuple(right_hand_side.shape)
    if not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(f"right_hand_side: expected a real or complex float, got {dtype}")
    if len(shape) < 2:
        raise ValueError(f"right_hand_side: expected (batch, ...), got {shape}")
    if n_iterations < 1:
        raise ValueError(f"n_iterations: expected 1 or more, got {n_iterations}")
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance: expected at least 0 and below 1, got {tolerance}")
