"""Undersample k-space with a mask and, if asked, add measurement noise, in one pass."""

from typing import Any

import torch
from torch import Tensor

from mrirecon import native  # noqa: F401  (loads the library that defines the operators)
from mrirecon.ops.arrays import takes_arrays
from mrirecon.ops.fake import register_fake


@takes_arrays
def apply_mask(kspace: Tensor, mask: Tensor, *, noise_std: float = 0.0, seed: int = 0) -> Tensor:
    """Keep the measured samples of k-space, with noise, and set the others to zero.

    out = mask * (kspace + noise_std * n),  n complex Gaussian, standard deviation 1 of the real and
    of the imaginary part. The noise is a pure function of (seed, position in `kspace`): it is drawn
    inside the kernel and does not depend on device or threads. Differentiable in `kspace`.

    Args:
        kspace: complex64 or complex128, (..., rows, cols); of three or more axes the first is the
            batch, those between are coils.
        mask: bool, (cols,), (rows or 1, cols or 1) or (batch or 1, rows or 1, cols or 1); True is
            measured, an axis of size 1 is repeated.
        noise_std: standard deviation of the noise's real part, and of its imaginary part, in the
            unit of `kspace`, 0 or more.
        seed: of the noise; give each image its own.

    Returns:
        Undersampled k-space, contiguous, shape and dtype of `kspace`.

    Raises:
        ValueError: dtype, mask shape or `noise_std` not as above.
        RuntimeError: a CUDA tensor, and the library was built without CUDA.
    """
    return torch.ops.mrirecon.apply_mask(kspace, mask, noise_std, seed)


@register_fake("apply_mask")
def _(kspace: Tensor, mask: Tensor, noise_std: float, seed: int) -> Tensor:
    return torch.empty_like(kspace, memory_format=torch.contiguous_format)


def _save_mask(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[1])


def _grad_kspace(ctx: Any, grad_out: Tensor) -> tuple[Tensor, None, None, None]:
    (mask,) = ctx.saved_tensors
    return torch.ops.mrirecon.apply_mask(grad_out, mask, 0.0, 0), None, None, None


torch.library.register_autograd("mrirecon::apply_mask", _grad_kspace, setup_context=_save_mask)
