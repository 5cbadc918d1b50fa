"""Put measured samples into predicted k-space, in one pass (data consistency).

Source: Schlemper, Caballero, Hajnal, Price and Rueckert 2018 (DOI 10.1109/TMI.2017.2760978).
"""

from typing import Any

import torch
from torch import Tensor

from mrirecon import native  # noqa: F401  (loads the library that defines the operators)
from mrirecon.ops.arrays import takes_arrays
from mrirecon.ops.fake import register_fake


@takes_arrays
def enforce_consistency(
    prediction: Tensor, measured: Tensor, mask: Tensor, *, noise_weight: Tensor | None = None
) -> Tensor:
    """Replace what was measured in predicted k-space, or blend it (Schlemper 2018, equation 7).

    Where the mask is not set: out = prediction. Where it is set,
    hard: out = measured; soft: out = (prediction + w measured) / (1 + w), w = `noise_weight`.
    Hard is the limit of a measurement without noise, w to infinity. What is not chosen is not
    used: a NaN of `measured` outside the mask does not spread. Differentiable once, in
    `prediction`, `measured` and `noise_weight`; the sum in the gradient of `noise_weight` has one
    order for any number of threads.

    Args:
        prediction: complex64 or complex128, (..., rows, cols); of three or more axes the first is
            the batch, those between are coils.
        measured: same shape and dtype; only values where the mask is set are used.
        mask: bool, (cols,), (rows or 1, cols or 1) or (batch or 1, rows or 1, cols or 1); True is
            measured, an axis of size 1 is repeated.
        noise_weight: float32 for complex64, float64 for complex128, (), 0 or more; None is hard.

    Returns:
        Consistent k-space, contiguous, shape and dtype of `prediction`.

    Raises:
        ValueError: dtype, shape or device not as above, or not the same for all.
        RuntimeError: a CUDA tensor, and the library was built without CUDA.
        NotImplementedError: a second derivative is asked for.

    Examples:
        >>> import torch
        >>> from mrirecon.ops import enforce_consistency
        >>> mask = torch.tensor([True, False, True, False])  # (cols,)
        >>> prediction = torch.zeros(1, 4, dtype=torch.complex64)  # (rows, cols)
        >>> measured = torch.ones(1, 4, dtype=torch.complex64)
        >>> enforce_consistency(prediction, measured, mask).real
        tensor([[1., 0., 1., 0.]])
        >>> enforce_consistency(prediction, measured, mask, noise_weight=torch.tensor(3.0)).real
        tensor([[0.7500, 0.0000, 0.7500, 0.0000]])
    """
    return torch.ops.mrirecon.enforce_consistency(prediction, measured, mask, noise_weight)


@register_fake("enforce_consistency")
def _(prediction: Tensor, measured: Tensor, mask: Tensor, noise_weight: Tensor | None) -> Tensor:
    return torch.empty_like(prediction, memory_format=torch.contiguous_format)


@register_fake("grad_enforce_consistency")
def _(  # noqa: PLR0917  (the schema's order)
    grad_out: Tensor,
    prediction: Tensor | None,
    measured: Tensor | None,
    mask: Tensor,
    noise_weight: Tensor | None,
    needs_prediction: bool,
    needs_measured: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    full = torch.empty_like(grad_out, memory_format=torch.contiguous_format)
    grad_weight = grad_out.new_empty(0)
    if prediction is not None and measured is not None and noise_weight is not None:
        grad_weight = noise_weight.new_empty(())
    return (
        torch.empty_like(full) if needs_prediction else grad_out.new_empty(0),
        torch.empty_like(full) if needs_measured else grad_out.new_empty(0),
        grad_weight,
    )


def _save_operands(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    prediction, measured, mask, noise_weight = inputs
    if ctx.needs_input_grad[3]:
        ctx.save_for_backward(prediction, measured, mask, noise_weight)
    else:  # the others' gradients need no k-space
        ctx.save_for_backward(None, None, mask, noise_weight)


def _grad_operands(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
    if torch.is_grad_enabled():
        raise NotImplementedError("enforce_consistency: second derivatives are not implemented")
    needs_prediction, needs_measured, _, needs_weight = ctx.needs_input_grad
    grad_prediction, grad_measured, grad_weight = torch.ops.mrirecon.grad_enforce_consistency(
        grad_out, *ctx.saved_tensors, needs_prediction, needs_measured
    )
    return (
        grad_prediction if needs_prediction else None,
        grad_measured if needs_measured else None,
        None,
        grad_weight if needs_weight else None,
    )


torch.library.register_autograd(
    "mrirecon::enforce_consistency", _grad_operands, setup_context=_save_operands
)
