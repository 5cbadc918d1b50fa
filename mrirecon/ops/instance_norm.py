"""Instance norm with what follows it in a network, forward and backward in two passes each.

Sources: Ulyanov et al. 2016 (arXiv 1607.08022) for the norm; He et al. 2015
(10.1109/ICCV.2015.123) for PReLU; Tompson et al. 2015 (10.1109/CVPR.2015.7298664) for dropping
whole channels.
"""

from typing import Any

import torch
from torch import Tensor

from mrirecon import native  # noqa: F401  (loads the library that defines the operators)
from mrirecon.ops.arrays import takes_arrays
from mrirecon.ops.fake import register_fake


@takes_arrays
def instance_norm(
    x: Tensor,
    *,
    slope: Tensor | None = None,
    keep: Tensor | None = None,
    residual: Tensor | None = None,
    pad: int = 0,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel of each image, activate, drop channels, pad and add a residual.

    normal = (x - mean) / sqrt(variance + eps), over the pixels of a channel of an image;
    out = residual + keep * (normal if normal > 0 else slope * normal), its border reflected.
    Differentiable once, in `x`, `slope` and `residual`. Statistics and arithmetic are float32 for
    bfloat16, and every result is rounded once. The output has the memory order of `x`, contiguous
    or channels-last, and a gradient of any order is right. The result does not depend on the
    number of threads. Of a single pixel the variance is 0 and `normal` too.

    Args:
        x: float32, float64, bfloat16 or float16 (by a float32 copy), (batch, channels, rows, cols).
        slope: (1,), of PReLU below 0; None for no activation. float32 for bfloat16 `x` (or
            bfloat16), otherwise the dtype of `x`.
        keep: constant factors, (batch, channels), dtype as `slope`: for spatial dropout with
            probability p, 0 or 1 / (1 - p), drawn by the caller; None for 1.
        residual: added, dtype of `x`, shape of the output: a tensor with a border of its own, such
            as the output of an earlier call.
        pad: pixels of border, 0 or more and less than rows and cols.
        eps: added to the variance, > 0.

    Returns:
        (batch, channels, rows + 2 pad, cols + 2 pad), dtype of `x`.

    Raises:
        ValueError: dtype, shape, `pad` or `eps` not as above, or `keep` needs a gradient.
        RuntimeError: a CUDA tensor, and the library was built without CUDA.
        NotImplementedError: a second derivative is asked for.

    Examples:
        >>> import torch
        >>> from mrirecon.ops import instance_norm
        >>> x = torch.arange(4.0).reshape(1, 1, 2, 2)  # (batch, channels, rows, cols)
        >>> instance_norm(x).round(decimals=3)
        tensor([[[[-1.3420, -0.4470],
                  [ 0.4470,  1.3420]]]])
        >>> instance_norm(x, slope=torch.tensor([0.1]), pad=1).shape
        torch.Size([1, 1, 4, 4])
    """
    if keep is not None and keep.requires_grad:
        raise ValueError("keep: expected a constant, got a tensor that needs a gradient")
    if x.dtype == torch.float16:
        wide = [None if t is None else t.float() for t in (slope, keep, residual)]
        return instance_norm(
            x.float(), slope=wide[0], keep=wide[1], residual=wide[2], pad=pad, eps=eps
        ).half()
    if slope is not None and slope.dtype == x.dtype == torch.bfloat16:
        slope = slope.float()
    out: Tensor = torch.ops.mrirecon.instance_norm(x, slope, keep, residual, eps, pad)[0]
    return out


def _memory_format(x: Tensor) -> torch.memory_format:
    """Return the order of `x`, as the native operator sees it; what is not dense is copied."""
    is_last = not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if is_last else torch.contiguous_format


def _real_dtype(x: Tensor) -> torch.dtype:
    return torch.float32 if x.dtype == torch.bfloat16 else x.dtype


@register_fake("instance_norm")
def _(  # noqa: PLR0917  (the schema's order)
    x: Tensor,
    slope: Tensor | None,
    keep: Tensor | None,
    residual: Tensor | None,
    eps: float,
    pad: int,
) -> tuple[Tensor, Tensor, Tensor]:
    batch, channels, rows, cols = x.shape
    out = torch.empty(
        (batch, channels, rows + 2 * pad, cols + 2 * pad),
        dtype=x.dtype,
        device=x.device,
        memory_format=_memory_format(x),
    )
    mean = x.new_empty((batch, channels), dtype=_real_dtype(x))
    return out, mean, torch.empty_like(mean)


@register_fake("grad_instance_norm")
def _(  # noqa: PLR0917  (the schema's order)
    grad_out: Tensor,
    x: Tensor,
    mean: Tensor,
    rstd: Tensor,
    slope: Tensor | None,
    keep: Tensor | None,
    pad: int,
) -> tuple[Tensor, Tensor]:
    grad_x = torch.empty_like(x, memory_format=_memory_format(x))
    return grad_x, torch.empty_like(mean, memory_format=torch.contiguous_format)


def _save_operands(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, slope, keep, _, _, ctx.pad = inputs
    _, mean, rstd = output
    ctx.mark_non_differentiable(mean, rstd)
    ctx.save_for_backward(x, mean, rstd, slope, keep)


def _grad_operands(ctx: Any, grad_out: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
    if torch.is_grad_enabled():
        raise NotImplementedError("instance_norm: second derivatives are not implemented")
    x, mean, rstd, slope, keep = ctx.saved_tensors
    needs_x, needs_slope, _, needs_residual, _, _ = ctx.needs_input_grad
    # Of the order of x for the residual too: the sum of two orders is several times slower.
    grad_out = grad_out.contiguous(memory_format=_memory_format(x))
    grad_x = grad_slope = None
    if needs_x or needs_slope:
        grad_x, grad_slope = torch.ops.mrirecon.grad_instance_norm(
            grad_out, x, mean, rstd, slope, keep, ctx.pad
        )
    return (
        grad_x if needs_x else None,
        grad_slope.sum().reshape(1) if needs_slope and grad_slope is not None else None,
        None,
        grad_out if needs_residual else None,
        None,
        None,
    )


torch.library.register_autograd(
    "mrirecon::instance_norm", _grad_operands, setup_context=_save_operands
)
