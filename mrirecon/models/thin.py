"""Convolutions to or from a few channels, at the edges of a network.

A processor's convolutions compute 16 channels in the time of one. So what has a few channels as its
result is convolved down the columns only, with a channel for each column of the kernel; these are
then added, shifted. Which of the three parts of a convolution (its result, the gradients to its
input and to its weights) has a few channels as its result depends on its direction. On a GPU all
are torch's own.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrirecon.models.layers import ordered_like

_BACKWARD = torch.ops.aten.convolution_backward.default


class ThinConv2d(nn.Conv2d):
    """A convolution of stride 1 with a square kernel, from or to a few channels."""

    def __init__(self, before: int, after: int, kernel: int, *, padding: int = 0) -> None:
        super().__init__(before, after, kernel, padding=padding)
        self.border = padding

    def forward(self, features: Tensor) -> Tensor:
        """Return (batch, out channels, rows', cols') of (batch, in channels, rows, cols)."""
        if features.device.type != "cpu":
            return super().forward(features)
        weight, bias = self.weight, self.bias
        if torch.is_autocast_enabled("cpu"):
            dtype = torch.get_autocast_dtype("cpu")
            features, weight = features.to(dtype), weight.to(dtype)
            bias = None if bias is None else bias.to(dtype)
        convolve = _ToFew if self.out_channels < self.in_channels else _FromFew
        result: Tensor = convolve.apply(features, weight, bias, self.border)
        return result


class _ToFew(torch.autograd.Function):
    """A convolution to a few channels."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, border: int
    ) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.border = border
        return _sum_columns(features, weight, bias, border)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        features, weight = ctx.saved_tensors
        needs_features, needs_weight, needs_bias, _ = ctx.needs_input_grad
        grad_features = grad_weight = None
        if needs_features:
            grad_features = _gradients(grad, features, weight, ctx.border, (True, False, False))[0]
        if needs_weight:
            # Of the convolution that makes the features from the result, which has many channels.
            border = weight.shape[-1] - 1 - ctx.border
            turned = _turned(weight)
            swapped = _gradients(features, grad, turned, border, (False, True, False))[1]
            assert swapped is not None
            grad_weight = _turned(swapped)
        return grad_features, grad_weight, grad.sum((0, 2, 3)) if needs_bias else None, None


class _FromFew(torch.autograd.Function):
    """A convolution from a few channels."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, border: int
    ) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.border = border
        return functional.conv2d(features, weight, bias, padding=border)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        features, weight = ctx.saved_tensors
        needs_features, needs_weight, needs_bias, _ = ctx.needs_input_grad
        needs = (False, needs_weight, needs_bias)
        _, grad_weight, grad_bias = _gradients(grad, features, weight, ctx.border, needs)
        grad_features = None
        if needs_features:
            border = weight.shape[-1] - 1 - ctx.border
            grad_features = _sum_columns(grad, _turned(weight), None, border)
        return grad_features, grad_weight, grad_bias, None


def _sum_columns(features: Tensor, weight: Tensor, bias: Tensor | None, border: int) -> Tensor:
    """Convolve down the columns, and add the columns of the kernel."""
    outputs, channels, size, _ = weight.shape
    kernel = weight.permute(0, 3, 1, 2).reshape(outputs * size, channels, size, 1)
    columns = functional.conv2d(features, ordered_like(kernel, weight), padding=(border, 0))
    each = torch.eye(outputs * size, dtype=columns.dtype, device=columns.device)
    shifts = each.reshape(outputs, size, outputs * size).transpose(1, 2)[:, :, None]
    return functional.conv2d(columns, shifts, bias, padding=(0, border))


def _turned(weight: Tensor) -> Tensor:
    """Turn a kernel, and exchange its channels: (in, out, ...) of (out, in, ...)."""
    return ordered_like(weight.transpose(0, 1).flip((2, 3)), weight)


def _gradients(
    grad: Tensor, features: Tensor, weight: Tensor, border: int, needs: tuple[bool, bool, bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return torch's gradients to features, weight and bias, where they are needed."""
    if not any(needs):
        return None, None, None
    once, padding = [1, 1], [border, border]
    gradients: tuple[Tensor | None, Tensor | None, Tensor | None] = _BACKWARD(
        grad, features, weight, [len(weight)], once, padding, once, False, [0, 0], 1, list(needs)
    )
    return gradients
