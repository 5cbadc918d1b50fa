"""Structural similarity of images: mean and map, each with its gradient, in one fused pass.

Sources: Wang, Bovik, Sheikh and Simoncelli 2004 (10.1109/TIP.2003.819861); the uniform window is
that of fastMRI (arXiv 1811.08839) and scikit-image.
"""

from typing import Any, Literal

import torch
from torch import Tensor

from mrirecon import native  # noqa: F401  (loads the library that defines the operators)
from mrirecon.ops.arrays import takes_arrays
from mrirecon.ops.fake import register_fake

WindowName = Literal["uniform", "gaussian"]
_SIZES = {"uniform": 7, "gaussian": 11}


@takes_arrays
def ssim(
    prediction: Tensor, target: Tensor, *, data_range: float | Tensor, window: WindowName
) -> Tensor:
    """Average `ssim_map` over each image, without storing the map.

    Differentiable once, in `prediction` and in `target`; `data_range` is a constant. Where
    `prediction` needs a gradient, it is computed together with the value, so that the backward
    pass only scales it. On the CPU, sums are double for both dtypes: the value is that of float64
    arithmetic on the given pixels, rounded. It does not depend on the number of threads.

    Args:
        prediction: float32 or float64, (..., rows, cols), at least as large as the window.
        target: same shape and dtype.
        data_range: largest minus smallest possible value, > 0, not that of the images at hand; a
            tensor broadcasts to (...,).
        window: "uniform", 7 x 7 with sample covariance (as fastMRI and scikit-image's default), or
            "gaussian", 11 x 11, sigma 1.5 pixels, as Wang 2004.

    Returns:
        Mean SSIM of each image, shape (...,), dtype of `prediction`; 1 for equal images.

    Raises:
        ValueError: dtype, shape, `data_range` or `window` not as above.
        RuntimeError: a CUDA tensor, and the library was built without CUDA.
        NotImplementedError: a second derivative is asked for.

    Examples:
        >>> import torch
        >>> from mrirecon.ops import ssim
        >>> target = torch.linspace(0, 1, 64 * 64).reshape(1, 64, 64)
        >>> ssim(target, target, data_range=1.0, window="uniform")
        tensor([1.])
        >>> ssim(target.sqrt(), target, data_range=1.0, window="gaussian").round(decimals=3)
        tensor([0.8590])
    """
    ranges = _one_for_each_image(data_range, prediction)
    if torch.is_grad_enabled() and prediction.requires_grad:
        mean: Tensor = torch.ops.mrirecon.ssim_mean_with_grad(prediction, target, ranges, window)[0]
        return mean
    if torch.is_grad_enabled() and target.requires_grad:  # symmetric
        return ssim(target, prediction, data_range=data_range, window=window)
    return torch.ops.mrirecon.ssim_mean(prediction, target, ranges, window)


@takes_arrays
def ssim_map(
    prediction: Tensor, target: Tensor, *, data_range: float | Tensor, window: WindowName
) -> Tensor:
    """Compare two images in every window that fits (Wang 2004, equation 13).

    SSIM = (2 mx my + C1) (2 sxy + C2) / ((mx^2 + my^2 + C1) (sx^2 + sy^2 + C2)),
    with C1 = (0.01 data_range)^2, C2 = (0.03 data_range)^2, and weighted means m, (co)variances s
    of the window's pixels. Differentiable once, in `prediction` and in `target`.

    Args:
        prediction: as in `ssim`.
        target: as in `ssim`.
        data_range: as in `ssim`.
        window: as in `ssim`.

    Returns:
        SSIM at each position, shape (..., rows - k + 1, cols - k + 1), k = 7 or 11.

    Raises:
        ValueError, RuntimeError, NotImplementedError: as `ssim`.

    Examples:
        >>> import torch
        >>> from mrirecon.ops import ssim_map
        >>> target = torch.linspace(0, 1, 64 * 64).reshape(1, 64, 64)
        >>> ssim_map(target, target, data_range=1.0, window="uniform").shape
        torch.Size([1, 58, 58])
    """
    ranges = _one_for_each_image(data_range, prediction)
    return torch.ops.mrirecon.ssim_map(prediction, target, ranges, window)


def _one_for_each_image(data_range: float | Tensor, prediction: Tensor) -> Tensor:
    """Return `data_range` as a tensor (...,) beside `prediction`, without waiting for a device."""
    shape = prediction.shape[:-2]
    if not isinstance(data_range, Tensor):
        if not data_range > 0:
            raise ValueError(f"data_range: expected more than 0, got {data_range}")
        return prediction.new_full(shape, data_range)
    try:
        return data_range.to(prediction.dtype).expand(shape)
    except RuntimeError:
        raise ValueError(
            f"data_range: expected a shape that broadcasts to {tuple(shape)}, "
            f"got {tuple(data_range.shape)}"
        ) from None


@register_fake("ssim_mean")
def _(prediction: Tensor, target: Tensor, data_range: Tensor, window: str) -> Tensor:
    return prediction.new_empty(prediction.shape[:-2])


@register_fake("ssim_mean_with_grad")
def _(prediction: Tensor, target: Tensor, data_range: Tensor, window: str) -> tuple[Tensor, Tensor]:
    grad = torch.empty_like(prediction, memory_format=torch.contiguous_format)
    return prediction.new_empty(prediction.shape[:-2]), grad


@register_fake("ssim_map")
def _(prediction: Tensor, target: Tensor, data_range: Tensor, window: str) -> Tensor:
    *images, rows, cols = prediction.shape
    margin = _SIZES[window] - 1
    return prediction.new_empty((*images, rows - margin, cols - margin))


@register_fake("grad_ssim_map")
def _(
    grad_map: Tensor, prediction: Tensor, target: Tensor, data_range: Tensor, window: str
) -> Tensor:
    return torch.empty_like(prediction, memory_format=torch.contiguous_format)


def _save_operands(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    prediction, target, data_range, ctx.window = inputs
    ctx.save_for_backward(prediction, target, data_range)


def _save_operands_and_grad(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    prediction, target, data_range, ctx.window = inputs
    grad = output[1]
    ctx.mark_non_differentiable(grad)
    if ctx.needs_input_grad[1]:
        ctx.save_for_backward(grad, prediction, target, data_range)
    else:
        ctx.save_for_backward(grad)


def _refuse_second_derivative() -> None:
    if torch.is_grad_enabled():
        raise NotImplementedError("ssim: second derivatives are not implemented")


def _grad_mean(ctx: Any, grad_mean: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    _refuse_second_derivative()
    grad, *operands = ctx.saved_tensors
    scale = grad_mean[..., None, None]
    grad_target = None
    if operands:
        prediction, target, data_range = operands
        swapped = torch.ops.mrirecon.ssim_mean_with_grad(target, prediction, data_range, ctx.window)
        grad_target = scale * swapped[1]
    return scale * grad, grad_target, None, None


def _grad_map(ctx: Any, grad_map: Tensor) -> tuple[Tensor | None, ...]:
    _refuse_second_derivative()
    prediction, target, data_range = ctx.saved_tensors
    grads: list[Tensor | None] = [None, None]
    for index, (image, other) in enumerate([(prediction, target), (target, prediction)]):
        if ctx.needs_input_grad[index]:
            grads[index] = torch.ops.mrirecon.grad_ssim_map(
                grad_map, image, other, data_range, ctx.window
            )
    return *grads, None, None


torch.library.register_autograd(
    "mrirecon::ssim_mean_with_grad", _grad_mean, setup_context=_save_operands_and_grad
)
torch.library.register_autograd("mrirecon::ssim_map", _grad_map, setup_context=_save_operands)
