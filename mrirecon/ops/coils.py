"""Turn an image into coil images by the coils' sensitivity maps, and coil images into an image."""

from typing import Any

import torch
from torch import Tensor

from mrirecon import native  # noqa: F401  (loads the library that defines the operators)
from mrirecon.ops.arrays import takes_arrays
from mrirecon.ops.fake import register_fake


@takes_arrays
def expand_coils(image: Tensor, coil_maps: Tensor) -> Tensor:
    """Multiply an image by each coil's map: what the coils receive. Adjoint: `combine_coils`.

    out[b, c, r] = coil_maps[b, c, r] image[b, 0, r]  at each position r.
    Maps that the batch shares are read once for all of it. Differentiable in both arguments, any
    number of times.

    Args:
        image: complex64 or complex128, (batch, 1, rows, cols); there may be other spatial axes,
            such as depth, before rows.
        coil_maps: same dtype, (batch or 1, coils, rows, cols), spatial axes of `image`.

    Returns:
        Coil images, contiguous, (batch, coils, rows, cols), the dtype of `image`.

    Raises:
        ValueError: dtype, shape or device not as above, or not the same for both.
        RuntimeError: a CUDA tensor, and the library was built without CUDA.

    Examples:
        >>> import torch
        >>> from mrirecon.ops import expand_coils
        >>> image = torch.ones(2, 1, 64, 64, dtype=torch.complex64)  # (batch, 1, rows, cols)
        >>> coil_maps = torch.full((1, 4, 64, 64), 0.5 + 0j, dtype=torch.complex64)
        >>> expand_coils(image, coil_maps).shape
        torch.Size([2, 4, 64, 64])
    """
    return torch.ops.mrirecon.expand_coils(image, coil_maps)


@takes_arrays
def combine_coils(coil_images: Tensor, coil_maps: Tensor) -> Tensor:
    """Sum coil images, each times its conjugate map. Adjoint of `expand_coils`.

    out[b, 0, r] = sum over c of conj(coil_maps[b, c, r]) coil_images[b, c, r]  at each position r.
    Where sum over c of |coil_maps|^2 is 1 it is the inverse of `expand_coils`, and the combination
    of least noise if the coils' noise is white. Summed in the order of the coils; maps that the
    batch shares are read once for all of it. Differentiable in both arguments, any number of times.

    Args:
        coil_images: complex64 or complex128, (batch, coils, rows, cols); there may be other
            spatial axes, such as depth, before rows.
        coil_maps: same dtype, (batch or 1, coils, rows, cols).

    Returns:
        Image, contiguous, (batch, 1, rows, cols), the dtype of `coil_images`.

    Raises:
        ValueError: dtype, shape or device not as above, or not the same for both.
        RuntimeError: a CUDA tensor, and the library was built without CUDA.

    Examples:
        >>> import torch
        >>> from mrirecon.ops import combine_coils, expand_coils
        >>> image = torch.ones(2, 1, 64, 64, dtype=torch.complex64)
        >>> coil_maps = torch.full((1, 4, 64, 64), 0.5j, dtype=torch.complex64)  # 4 * |0.5j|^2 = 1
        >>> combined = combine_coils(expand_coils(image, coil_maps), coil_maps)
        >>> torch.equal(combined, image)
        True
    """
    return torch.ops.mrirecon.combine_coils(coil_images, coil_maps)


@register_fake("expand_coils")
def _(image: Tensor, coil_maps: Tensor) -> Tensor:
    return image.new_empty(image.shape[0], *coil_maps.shape[1:])


@register_fake("combine_coils")
def _(coil_images: Tensor, coil_maps: Tensor) -> Tensor:
    return coil_images.new_empty(coil_images.shape[0], 1, *coil_images.shape[2:])


@register_fake("grad_coil_maps")
def _(image: Tensor, coil_images: Tensor, map_batch: int) -> Tensor:
    return coil_images.new_empty(map_batch, *coil_images.shape[1:])


def _save_other_operand(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    first, second = inputs[:2]
    needs_first, needs_second = ctx.needs_input_grad[:2]
    ctx.save_for_backward(first if needs_second else None, second if needs_first else None)
    ctx.map_batch = second.shape[0]  # of expand_coils and combine_coils


def _grad_expand_coils(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, Tensor | None]:
    image, coil_maps = ctx.saved_tensors
    ops = torch.ops.mrirecon
    return (
        None if coil_maps is None else ops.combine_coils(grad_out, coil_maps),
        None if image is None else ops.grad_coil_maps(image, grad_out, ctx.map_batch),
    )


def _grad_combine_coils(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, Tensor | None]:
    coil_images, coil_maps = ctx.saved_tensors
    ops = torch.ops.mrirecon
    return (
        None if coil_maps is None else ops.expand_coils(grad_out, coil_maps),
        None if coil_images is None else ops.grad_coil_maps(grad_out, coil_images, ctx.map_batch),
    )


def _grad_grad_coil_maps(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
    image, coil_images = ctx.saved_tensors
    ops = torch.ops.mrirecon
    return (
        None if coil_images is None else ops.combine_coils(coil_images, grad_out),
        None if image is None else ops.expand_coils(image, grad_out),
        None,
    )


torch.library.register_autograd(
    "mrirecon::expand_coils", _grad_expand_coils, setup_context=_save_other_operand
)
torch.library.register_autograd(
    "mrirecon::combine_coils", _grad_combine_coils, setup_context=_save_other_operand
)
torch.library.register_autograd(
    "mrirecon::grad_coil_maps", _grad_grad_coil_maps, setup_context=_save_other_operand
)
