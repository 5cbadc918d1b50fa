"""Images to k-space and back in one pass, and what a mask has measured weighed on the way.

On the CPU each tile of eight rows or columns stays in the first cache, for sizes whose factors are
2, 3, 5 and 7. For other sizes, and on a GPU, the same is composed of torch's operators.
"""

from typing import Any

import torch
from torch import Tensor

from mrirecon import native  # noqa: F401  (loads the library that defines the operators)
from mrirecon.ops.arrays import takes_arrays
from mrirecon.ops.coils import combine_coils, expand_coils
from mrirecon.ops.fake import register_fake

_FACTORS = (2, 3, 5, 7)  # of the native transforms: csrc/round_trip.cpp


@takes_arrays
def weigh_kspace(
    image: Tensor, mask: Tensor, weights: Tensor, *, coil_maps: Tensor | None = None
) -> Tensor:
    """Multiply an image's k-space by one number where a mask has measured, by another elsewhere.

    out = sum over c of conj(coil_maps[c]) F* W F (coil_maps[c] image), with the centred
    orthonormal transform F and W = weights[0] where the mask is set, weights[1] elsewhere. With
    weights (1, 0) it is A* A of the measurement A. It is its own adjoint, differentiable in
    `image`, `coil_maps` and `weights`, any number of times.

    No shift is executed, and along an axis on which the mask is constant no transform, since both
    cancel: F* W F is a circular convolution. A NaN spreads over all that is transformed with it.

    Args:
        image: complex64 or complex128, (..., rows, cols), of which the first axis is the batch;
            (batch, 1, rows, cols) with `coil_maps`.
        mask: bool, (cols,), (rows or 1, cols or 1) or (batch or 1, rows or 1, cols or 1); True is
            measured, an axis of size 1 is repeated. Centred.
        weights: float32 for complex64, float64 for complex128, (2,).
        coil_maps: dtype of `image`, (batch or 1, coils, rows, cols).

    Returns:
        Image, contiguous, shape and dtype of `image`.

    Raises:
        ValueError: dtype, shape or device not as above, or not the same for all.

    Examples:
        >>> import torch
        >>> from mrirecon.ops import weigh_kspace
        >>> image = torch.ones(1, 1, 8, 8, dtype=torch.complex64)  # all of it is in the centre
        >>> mask = torch.arange(8) == 4  # the line through the centre
        >>> weigh_kspace(image, mask, torch.tensor([2.0, 0.0])).abs().mean().round(decimals=3)
        tensor(2.)
    """
    if not _is_native(image, mask):
        return _weigh_by_parts(image, mask, weights, coil_maps)
    return torch.ops.mrirecon.weigh_kspace(image, coil_maps, mask, weights)


@takes_arrays
def keep_measured(image: Tensor, mask: Tensor, *, coil_maps: Tensor | None = None) -> Tensor:
    """Set k-space to 0 where a mask has not measured: A* A of the measurement A.

    The projection `weigh_kspace` with weights (1, 0); arguments as there.

    Examples:
        >>> import torch
        >>> from mrirecon.ops import keep_measured
        >>> image = torch.randn(1, 1, 8, 8, dtype=torch.complex64)
        >>> mask = torch.arange(8) % 2 == 0
        >>> once = keep_measured(image, mask)
        >>> torch.allclose(keep_measured(once, mask), once, atol=1e-6)  # a projection
        True
    """
    weights = unit_weights(image, of_measured=True)
    return weigh_kspace(image, mask, weights, coil_maps=coil_maps)


def unit_weights(image: Tensor, *, of_measured: bool) -> Tensor:
    """Give (1, 0), or (0, 1), as `weigh_kspace` takes it; made on the device of `image`."""
    unit = torch.eye(2, dtype=_real_type(image), device=image.device)
    return unit[0 if of_measured else 1]


def enforce_image_consistency(
    image: Tensor, zero_filled: Tensor, mask: Tensor, weights: Tensor
) -> Tensor:
    """Weigh what an image's k-space has beyond that of the zero-filled image, and add it to that.

    out = zero_filled + F* W F (image - zero_filled), as in `weigh_kspace`, in one pass.
    Differentiable in `image`, `zero_filled` and `weights`, any number of times.

    Args:
        image: complex64 or complex128, (..., rows, cols).
        zero_filled: same shape and dtype.
        mask: as for `weigh_kspace`.
        weights: as for `weigh_kspace`; (0, 1) replaces what was measured.

    Returns:
        Image, contiguous, shape and dtype of `image`.

    Raises:
        ValueError: dtype, shape or device not as above, or not the same for all.
    """
    if not _is_native(image, mask):
        if zero_filled.shape != image.shape or zero_filled.dtype != image.dtype:
            expected = f"{image.dtype} {tuple(image.shape)}, as the image"
            got = f"{zero_filled.dtype} {tuple(zero_filled.shape)}"
            raise ValueError(f"zero_filled: expected {expected}, got {got}")
        return zero_filled + _weigh_by_parts(image - zero_filled, mask, weights, None)
    return torch.ops.mrirecon.enforce_image_consistency(image, zero_filled, mask, weights)


@takes_arrays
def undersample_image(
    image: Tensor,
    mask: Tensor,
    *,
    noise_std: Tensor | None = None,
    seeds: Tensor | None = None,
) -> Tensor:
    """Measure an image and transform back: the zero-filled image.

    out = F* mask (F image + noise), as in `weigh_kspace`, with the noise of `apply_mask` for a seed
    each. Its place in the k-space of an element is that of the plain transform along the axes on
    which the mask varies, without shifts; white noise keeps its distribution under the others.
    Differentiable in `image`. On the CPU two lines of a real image go through one transform, the
    real and the imaginary part of what it transforms: a NaN in one spreads to the other as well.

    Args:
        image: float32, float64, complex64 or complex128, (..., rows, cols), of which the first
            axis is the batch.
        mask: as for `weigh_kspace`.
        noise_std: real type of `image`, (batch,), standard deviation of the noise's real part, and
            of its imaginary part; None for none.
        seeds: int64, (batch,), with `noise_std`.

    Returns:
        Image, complex, contiguous, the shape of `image`.

    Raises:
        ValueError: dtype, shape or device not as above, or not the same for all.

    Examples:
        >>> import torch
        >>> from mrirecon.ops import undersample_image
        >>> image = torch.zeros(1, 1, 1, 4)
        >>> image[..., 2] = 1
        >>> every_other = torch.tensor([True, False, True, False])
        >>> undersample_image(image, every_other).abs().round(decimals=3)  # and its ghost
        tensor([[[[0.5000, 0.0000, 0.5000, 0.0000]]]])
    """
    if not _is_native(image, mask):
        return _undersample_by_parts(image, mask, noise_std, seeds)
    return torch.ops.mrirecon.undersample_image(image, mask, noise_std, seeds)


def masked_dims(mask: Tensor) -> tuple[int, ...]:
    """Name the spatial axes along which a mask varies.

    Args:
        mask: (cols,), (rows, 1), (rows, cols) or (batch, rows | 1, cols | 1).

    Returns:
        Those of the axes -2 (rows) and -1 (cols) that have more than one entry in the mask.
    """
    return tuple(dim for dim in (-2, -1) if mask.ndim >= -dim and mask.shape[dim] > 1)


def _real_type(image: Tensor) -> torch.dtype:  # dtype.to_real cannot be traced
    return torch.float64 if image.dtype == torch.complex128 else torch.float32


def _is_native(image: Tensor, mask: Tensor) -> bool:
    if image.device.type != "cpu" or image.ndim < 2:
        return image.device.type == "cpu"  # where the native operator says what is wrong
    return all(_has_known_factors(image.shape[dim]) for dim in masked_dims(mask) or (-1,))


def _has_known_factors(n: int) -> bool:
    for factor in _FACTORS:
        while n > 1 and n % factor == 0:
            n //= factor
    return n <= 1


def _require(image: Tensor, mask: Tensor, weights: Tensor) -> None:
    """Refuse, where torch would broadcast or cast, what csrc/round_trip.cpp refuses."""
    if not image.is_complex():
        raise ValueError(f"image: expected complex64 or complex128, got {image.dtype}")
    real = _real_type(image)
    if weights.shape != (2,) or weights.dtype != real:
        got = f"{weights.dtype} {tuple(weights.shape)}"
        raise ValueError(f"weights: expected {real} (2,), got {got}")
    sizes = (image.shape[0] if image.ndim > 2 else 1, *image.shape[-2:])
    fits = all(n in {1, size} for n, size in zip(mask.shape[::-1], sizes[::-1], strict=False))
    if mask.dtype != torch.bool or not 1 <= mask.ndim <= 3 or not fits:
        expected = f"bool (cols,), (rows, cols) or (batch, rows, cols) = {sizes}"
        got = f"{mask.dtype} {tuple(mask.shape)}"
        raise ValueError(f"mask: expected {expected}, an axis of 1 is repeated, got {got}")


def _plain(mask: Tensor) -> Tensor:
    """Shift a mask to where the plain transform has what it measures."""
    return torch.fft.ifftshift(mask, dim=tuple(range(-min(mask.ndim, 2), 0)))


def _weigh_by_parts(
    image: Tensor, mask: Tensor, weights: Tensor, coil_maps: Tensor | None
) -> Tensor:
    _require(image, mask, weights)
    seen = image if coil_maps is None else expand_coils(image, coil_maps)
    if seen.numel() == 0:  # which cuFFT refuses
        return torch.zeros_like(image)
    factors = torch.where(_plain(mask), weights[0], weights[1])
    if mask.ndim == 3:  # (batch, rows, cols) over (batch, ..., rows, cols)
        factors = factors.reshape(len(factors), *[1] * (image.ndim - 3), *factors.shape[1:])
    dims = masked_dims(mask) or (-1,)
    coil_images = torch.fft.ifftn(factors * torch.fft.fftn(seen, dim=dims), dim=dims)
    return coil_images if coil_maps is None else combine_coils(coil_images, coil_maps)


def _undersample_by_parts(
    image: Tensor, mask: Tensor, noise_std: Tensor | None, seeds: Tensor | None
) -> Tensor:
    if image.numel() == 0:
        return image.to(image.dtype.to_complex())
    dims = masked_dims(mask) or (-1,)
    spectrum = torch.fft.fftn(image, dim=dims, norm="ortho")
    noise = (noise_std, seeds)
    measured = torch.ops.mrirecon.apply_mask(spectrum, _plain(mask), *noise)
    return torch.fft.ifftn(measured, dim=dims, norm="ortho")


@register_fake("weigh_kspace")
def _(image: Tensor, coil_maps: Tensor | None, mask: Tensor, weights: Tensor) -> Tensor:
    return torch.empty_like(image, memory_format=torch.contiguous_format)


@register_fake("enforce_image_consistency")
def _(image: Tensor, zero_filled: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
    return torch.empty_like(image, memory_format=torch.contiguous_format)


@register_fake("undersample_image")
def _(image: Tensor, mask: Tensor, noise_std: Tensor | None, seeds: Tensor | None) -> Tensor:
    return image.new_empty(image.shape, dtype=image.dtype.to_complex())


def _grad_weights(
    grad_out: Tensor, image: Tensor, coil_maps: Tensor | None, mask: Tensor
) -> Tensor:
    """Differentiate Re <grad_out, weigh_kspace(image)>; the sums have one order."""
    grads = []
    for of_measured in (True, False):
        weights = unit_weights(image, of_measured=of_measured)
        part = torch.ops.mrirecon.weigh_kspace(image, coil_maps, mask, weights)
        products = grad_out.real * part.real + grad_out.imag * part.imag
        grads.append(products.sum(-1).sum(-1).sum())
    return torch.stack(grads)


def _grad_maps(
    grad_out: Tensor, image: Tensor, coil_maps: Tensor, mask: Tensor, weights: Tensor
) -> Tensor:
    """Differentiate sum over coils of conj(map) L (map image), L its own adjoint."""
    weigh = torch.ops.mrirecon.weigh_kspace
    grad = grad_out.conj() * weigh(coil_maps * image, None, mask, weights)
    grad = grad + image.conj() * weigh(coil_maps * grad_out, None, mask, weights)
    return grad.sum(0, keepdim=True) if len(coil_maps) == 1 else grad


def _save_weighed(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    image, coil_maps, mask, weights = inputs
    needs_image = ctx.needs_input_grad[1] or ctx.needs_input_grad[3]
    ctx.save_for_backward(image if needs_image else None, coil_maps, mask, weights)


def _grad_weighed(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
    image, coil_maps, mask, weights = ctx.saved_tensors
    needs_image, needs_maps, _, needs_weights = ctx.needs_input_grad
    weigh = torch.ops.mrirecon.weigh_kspace
    return (
        weigh(grad_out, coil_maps, mask, weights) if needs_image else None,
        _grad_maps(grad_out, image, coil_maps, mask, weights) if needs_maps else None,
        None,
        _grad_weights(grad_out, image, coil_maps, mask) if needs_weights else None,
    )


def _save_consistent(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    image, zero_filled, mask, weights = inputs
    saved = (image, zero_filled) if ctx.needs_input_grad[3] else (None, None)
    ctx.save_for_backward(*saved, mask, weights)


def _grad_consistent(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
    image, zero_filled, mask, weights = ctx.saved_tensors
    needs_image, needs_zero_filled, _, needs_weights = ctx.needs_input_grad
    grads: tuple[Tensor | None, ...] = (None, None)
    if needs_image or needs_zero_filled:
        grad_image = torch.ops.mrirecon.weigh_kspace(grad_out, None, mask, weights)
        grads = (grad_image, grad_out - grad_image if needs_zero_filled else None)
    return (
        *grads,
        None,
        _grad_weights(grad_out, image - zero_filled, None, mask) if needs_weights else None,
    )


def _save_mask(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[1])
    ctx.is_real = not inputs[0].is_complex()


def _grad_undersampled(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
    (mask,) = ctx.saved_tensors
    weights = unit_weights(grad_out, of_measured=True)
    grad_image = torch.ops.mrirecon.weigh_kspace(grad_out, None, mask, weights)
    return grad_image.real if ctx.is_real else grad_image, None, None, None


torch.library.register_autograd(
    "mrirecon::weigh_kspace", _grad_weighed, setup_context=_save_weighed
)
torch.library.register_autograd(
    "mrirecon::enforce_image_consistency", _grad_consistent, setup_context=_save_consistent
)
torch.library.register_autograd(
    "mrirecon::undersample_image", _grad_undersampled, setup_context=_save_mask
)
