"""Between images and k-space off the grid: the operators under `mrirecon.Nufft`.

A plan is eight tensors and three tuples, made once for a trajectory by `mrirecon.nufft`; see
csrc/nufft.h. The gradients are the transforms themselves, so they can be differentiated again.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mrirecon import native  # noqa: F401  (loads the library that defines the operators)
from mrirecon.ops.fake import register_fake

MAX_WIDTH = 16  # taps along an axis: kMaxWidth of csrc/nufft.h


class PlanTensors(NamedTuple):
    """What the kernels read; in the order of the operators' arguments.

    Attributes:
        starts: int32, (trajectories, samples, axes), grid point of a sample's first tap.
        offsets: real, (trajectories, samples, axes), of the taps from there, in [-1/2, 1/2).
        positions: int32, (trajectories, samples), where a sample stands once sorted.
        bins: int32, (trajectories, bins + 1), first sorted sample of each bin of the grid.
        taps: real, (degree + 1, MAX_WIDTH), polynomial of each tap.
        apodisation: real, (depth + rows + cols,), what the image is multiplied with.
        roots: complex, (sum of the grid's sizes,), exp(-2 pi i j / n).
        width: number of taps along an axis.
        shape: of the image.
        grid: of the oversampled grid.
    """

    starts: Tensor
    offsets: Tensor
    positions: Tensor
    bins: Tensor
    taps: Tensor
    apodisation: Tensor
    roots: Tensor
    width: int
    shape: tuple[int, ...]
    grid: tuple[int, ...]


def nufft(image: Tensor, coil_maps: Tensor | None, coords: Tensor, plan: PlanTensors) -> Tensor:
    """Sample the Fourier transform of images, (batch, coils or 1, *shape), at `coords`."""
    return torch.ops.mrirecon.nufft(image, coil_maps, coords, *plan)


def nufft_adjoint(
    kspace: Tensor, coil_maps: Tensor | None, coords: Tensor, plan: PlanTensors
) -> Tensor:
    """Apply the adjoint of `nufft` to k-space, (batch, coils, samples)."""
    return torch.ops.mrirecon.nufft_adjoint(kspace, coil_maps, coords, *plan)


def nufft_normal(  # noqa: PLR0917  (the order of mrirecon.nufft.toeplitz.Convolution)
    image: Tensor,
    coil_maps: Tensor | None,
    transfer: Tensor,
    apodisation: Tensor,
    roots: Tensor,
    shape: tuple[int, ...],
    grid: tuple[int, ...],
) -> Tensor:
    """Convolve images, (batch, coils or 1, *shape), by weights on the grid of their transform."""
    return torch.ops.mrirecon.nufft_normal(
        image, coil_maps, transfer, apodisation, roots, shape, grid
    )


@register_fake("nufft")
def _(image: Tensor, coil_maps: Tensor | None, coords: Tensor, *plan: Any) -> Tensor:
    coils = image.shape[1] if coil_maps is None else coil_maps.shape[1]
    return image.new_empty(image.shape[0], coils, PlanTensors(*plan).offsets.shape[1])


@register_fake("nufft_adjoint")
def _(kspace: Tensor, coil_maps: Tensor | None, coords: Tensor, *plan: Any) -> Tensor:
    coils = kspace.shape[1] if coil_maps is None else 1
    return kspace.new_empty(kspace.shape[0], coils, *PlanTensors(*plan).shape)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    operand, coil_maps, coords, *plan = inputs
    ctx.plan = PlanTensors(*plan)
    ctx.has_maps = coil_maps is not None
    ctx.save_for_backward(operand, coil_maps, coords)


def _grad_coords(image: Tensor, kspace: Tensor, ctx: Any) -> Tensor:
    """Differentiate Re <kspace, nufft(image)> in the coordinates, one axis at a time.

    The derivative along an axis is the transform of the image times -2 pi i r / n.
    """
    coil_maps, coords = ctx.saved_tensors[1:]
    ndim = len(ctx.plan.shape)
    grads = []
    for axis, n in enumerate(ctx.plan.shape):
        pixel = torch.arange(n, dtype=coords.dtype, device=image.device) - n // 2
        ramp = (pixel * (-2 * math.pi / n)).reshape(-1, *[1] * (ndim - 1 - axis))
        moved = nufft(image * (1j * ramp), coil_maps, coords, ctx.plan)
        grads.append((kspace.conj() * moved).real.sum(1))
    grad = torch.stack(grads, -1)  # (batch, samples, ndim)
    return grad.sum(0) if coords.ndim == 2 else grad


def _grad_maps(image: Tensor, kspace: Tensor, ctx: Any) -> Tensor:
    """Differentiate Re <kspace, nufft(maps * image)> in the coil maps."""
    coil_maps, coords = ctx.saved_tensors[1:]
    grad = image.conj() * nufft_adjoint(kspace, None, coords, ctx.plan)
    return grad.sum(0, keepdim=True) if coil_maps.shape[0] == 1 else grad


def _backward(ctx: Any, grad_kspace: Tensor) -> tuple[Tensor | None, ...]:
    image, coil_maps, coords = ctx.saved_tensors
    needs_image, needs_maps, needs_coords, *rest = ctx.needs_input_grad
    return (
        nufft_adjoint(grad_kspace, coil_maps, coords, ctx.plan) if needs_image else None,
        _grad_maps(image, grad_kspace, ctx) if needs_maps else None,
        _grad_coords(image, grad_kspace, ctx) if needs_coords else None,
        *[None] * len(rest),
    )


def _backward_adjoint(ctx: Any, grad_image: Tensor) -> tuple[Tensor | None, ...]:
    kspace, coil_maps, coords = ctx.saved_tensors
    needs_kspace, needs_maps, needs_coords, *rest = ctx.needs_input_grad
    return (
        nufft(grad_image, coil_maps, coords, ctx.plan) if needs_kspace else None,
        _grad_maps(grad_image, kspace, ctx) if needs_maps else None,
        _grad_coords(grad_image, kspace, ctx) if needs_coords else None,
        *[None] * len(rest),
    )


torch.library.register_autograd("mrirecon::nufft", _backward, setup_context=_save)
torch.library.register_autograd("mrirecon::nufft_adjoint", _backward_adjoint, setup_context=_save)


@register_fake("nufft_normal")
def _(image: Tensor, coil_maps: Tensor | None, *convolution: Any) -> Tensor:
    return torch.empty_like(image, memory_format=torch.contiguous_format)


def _save_normal(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    image, coil_maps, *ctx.convolution = inputs
    ctx.save_for_backward(image, coil_maps)


def _backward_normal(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    """Differentiate sum over coils of conj(map) T (map image), T its own adjoint."""
    image, coil_maps = ctx.saved_tensors
    needs_image, needs_maps, *rest = ctx.needs_input_grad
    grad_image = nufft_normal(grad, coil_maps, *ctx.convolution) if needs_image else None
    grad_maps = None
    if needs_maps:
        grad_maps = grad.conj() * nufft_normal(coil_maps * image, None, *ctx.convolution)
        grad_maps += image.conj() * nufft_normal(coil_maps * grad, None, *ctx.convolution)
        grad_maps = grad_maps.sum(0, keepdim=True) if len(coil_maps) == 1 else grad_maps
    return grad_image, grad_maps, *[None] * len(rest)


torch.library.register_autograd(
    "mrirecon::nufft_normal", _backward_normal, setup_context=_save_normal
)
