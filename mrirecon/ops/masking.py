"""Undersample k-space with a mask and, if asked, add measurement noise, in one pass."""

from typing import Any

import torch
from torch import Tensor

from mrirecon import native  # noqa: F401  (loads the library that defines the operators)
from mrirecon.ops.arrays import takes_arrays
from mrirecon.ops.fake import register_fake


@takes_arrays
def apply_mask(
    kspace: Tensor, mask: Tensor, *, noise_std: float | Tensor = 0.0, seed: int | Tensor = 0
) -> Tensor:
    """Keep the measured samples of k-space, with noise, and set the others to zero.

    out = mask * (kspace + noise_std * n),  n complex Gaussian, standard deviation 1 of the real and
    of the imaginary part. The noise is a pure function of (seed, position in `kspace`): it is drawn
    inside the kernel and does not depend on device or threads. With a seed for each element of the
    batch, the position is that within the element, so that its noise is the same in any batch.
    Differentiable in `kspace`.

    Args:
        kspace: complex64 or complex128, (..., rows, cols); of three or more axes the first is the
            batch, those between are coils.
        mask: bool, (cols,), (rows or 1, cols or 1) or (batch or 1, rows or 1, cols or 1); True is
            measured, an axis of size 1 is repeated.
        noise_std: standard deviation of the noise's real part, and of its imaginary part, in the
            unit of `kspace`, 0 or more; (batch,), in the real type of `kspace`, for one each.
        seed: of the noise; give each image its own, or hand in int64, (batch,).

    Returns:
        Undersampled k-space, contiguous, shape and dtype of `kspace`.

    Raises:
        ValueError: dtype, shape or `noise_std` not as above.
        RuntimeError: a CUDA tensor, and the library was built without CUDA.

    Examples:
        >>> import torch
        >>> from mrirecon.ops import apply_mask
        >>> mask = torch.tensor([True, False, True, False])  # (cols,)
        >>> kspace = torch.ones(1, 2, 4, dtype=torch.complex64)  # (coils, rows, cols)
        >>> apply_mask(kspace, mask).real
        tensor([[[1., 0., 1., 0.],
                 [1., 0., 1., 0.]]])
        >>> noisy = apply_mask(kspace, mask, noise_std=0.1, seed=1)
        >>> torch.equal(noisy, apply_mask(kspace, mask, noise_std=0.1, seed=1))
        True
    """
    if isinstance(noise_std, float | int) and noise_std == 0:
        return torch.ops.mrirecon.apply_mask(kspace, mask, None, None)
    stds, seeds = _per_element(kspace, noise_std, seed)
    return torch.ops.mrirecon.apply_mask(kspace, mask, stds, seeds)


def _per_element(
    kspace: Tensor, noise_std: float | Tensor, seed: int | Tensor
) -> tuple[Tensor, Tensor]:
    """Make tensors of what is a number, as many as the other one has."""
    count = next((len(each) for each in (seed, noise_std) if isinstance(each, Tensor)), 1)
    if not isinstance(noise_std, Tensor):
        if not noise_std >= 0:
            raise ValueError(f"noise_std: expected 0 or more, got {noise_std}")
        real = kspace.dtype.to_real()
        noise_std = torch.full((count,), noise_std, dtype=real, device=kspace.device)
    if not isinstance(seed, Tensor):
        seed = torch.full((count,), seed, dtype=torch.int64, device=kspace.device)
    return noise_std, seed


@register_fake("apply_mask")
def _(kspace: Tensor, mask: Tensor, noise_std: Tensor | None, seeds: Tensor | None) -> Tensor:
    return torch.empty_like(kspace, memory_format=torch.contiguous_format)


def _save_mask(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[1])


def _grad_kspace(ctx: Any, grad_out: Tensor) -> tuple[Tensor, None, None, None]:
    (mask,) = ctx.saved_tensors
    return torch.ops.mrirecon.apply_mask(grad_out, mask, None, None), None, None, None


torch.library.register_autograd("mrirecon::apply_mask", _grad_kspace, setup_context=_save_mask)
