"""What kernels do, composed of PyTorch's own operations.

Each function takes the sizes of a line and how to make tensors; index and weight tables, which a
plan would keep, are operands. FFTs are no part of any.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mrirecon.reference import coils, consistency

Sizes = dict[str, Any]
Make = Callable[..., Tensor]  # of a shape: a complex tensor


def _index(*shape: int) -> Tensor:
    return torch.empty(shape, dtype=torch.int64, device="meta")


def _mask(n: Sizes) -> Tensor:
    return torch.empty(n["shape"][-1], dtype=torch.bool, device="meta")


# --- Cartesian k-space


def _apply_mask(n: Sizes, make: Make) -> Callable[[], Any]:
    kspace, mask, zero = make(n["B"], n["K"], *n["shape"]), _mask(n), make()
    return lambda: torch.where(mask, kspace, zero)


def _apply_mask_with_noise(n: Sizes, make: Make) -> Callable[[], Any]:
    kspace, mask, zero = make(n["B"], n["K"], *n["shape"]), _mask(n), make()
    return lambda: torch.where(mask, kspace + 0.1 * torch.randn_like(kspace), zero)


def _enforce_consistency(n: Sizes, make: Make) -> Callable[[], Any]:
    kspace, mask = make(n["B"], n["K"], *n["shape"]), _mask(n)
    measured = torch.empty_like(kspace)
    return lambda: consistency.enforce_consistency(kspace, measured, mask)


def _enforce_with_weight(n: Sizes, make: Make) -> Callable[[], Any]:
    kspace, mask, weight = make(n["B"], n["K"], *n["shape"]), _mask(n), make(real=True)
    measured = torch.empty_like(kspace)
    return lambda: consistency.enforce_consistency(kspace, measured, mask, noise_weight=weight)


def _grad_enforce_with_weight(n: Sizes, make: Make) -> Callable[[], Any]:
    prediction = make(n["B"], n["K"], *n["shape"]).requires_grad_()
    measured, grad = (torch.empty_like(prediction) for _ in range(2))
    operands = (prediction, measured.requires_grad_(), make(real=True).requires_grad_())
    out = consistency.enforce_consistency(*operands[:2], _mask(n), noise_weight=operands[2])
    return lambda: torch.autograd.grad(out, operands, grad.detach())


def _grad_noise_weight(n: Sizes, make: Make) -> Callable[[], Any]:
    row_sums = torch.empty(n["L"], dtype=torch.float64, device="meta")
    return row_sums.sum


# --- coils


def _expand_coils(n: Sizes, make: Make) -> Callable[[], Any]:
    image, maps = make(n["B"], 1, *n["shape"]), make(1, n["K"], *n["shape"])
    return lambda: coils.expand_coils(image, maps)


def _combine_coils(n: Sizes, make: Make) -> Callable[[], Any]:
    coil_images, maps = make(n["B"], n["K"], *n["shape"]), make(1, n["K"], *n["shape"])
    return lambda: coils.combine_coils(coil_images, maps)


def _grad_coil_maps(n: Sizes, make: Make) -> Callable[[], Any]:
    image, coil_images = make(n["B"], 1, *n["shape"]), make(n["B"], n["K"], *n["shape"])
    return lambda: (image.conj() * coil_images).sum(0, keepdim=True)


# --- SSIM, by convolutions, as fastMRI has it


def _ssim_map(x: Tensor, y: Tensor, window: Tensor) -> Tensor:
    mean_x, mean_y, xx, yy, xy = (
        functional.conv2d(values, window) for values in (x, y, x * x, y * y, x * y)
    )
    variance_x, variance_y = xx - mean_x * mean_x, yy - mean_y * mean_y
    covariance = xy - mean_x * mean_y
    luminance, contrast = 2 * mean_x * mean_y + 1, 2 * covariance + 1
    return luminance * contrast / ((mean_x**2 + mean_y**2 + 1) * (variance_x + variance_y + 1))


def _ssim(n: Sizes, make: Make) -> Callable[[], Any]:
    x, y = (make(n["B"], 1, *n["shape"], real=True) for _ in range(2))
    window = make(1, 1, n["k"], n["k"], real=True)
    return lambda: _ssim_map(x, y, window)


def _grad_ssim(n: Sizes, make: Make) -> Callable[[], Any]:
    x, y = (make(n["B"], 1, *n["shape"], real=True) for _ in range(2))
    out = _ssim_map(x.requires_grad_(), y, make(1, 1, n["k"], n["k"], real=True))
    grad = torch.empty_like(out)
    return lambda: torch.autograd.grad(out, x, grad)


def _mean(n: Sizes, make: Make) -> Callable[[], Any]:
    tile_sums = make(n["B"], n["P"] // 512, real=True)
    return lambda: tile_sums.sum(-1)


# --- off the grid


def _padding(n: Sizes) -> list[int]:
    pairs = zip(reversed(n["shape"]), reversed(n["grid"]), strict=True)
    return [side for size, points in pairs for side in (0, points - size)]


def _pad_image(n: Sizes, make: Make) -> Callable[[], Any]:
    image, apodisation = make(n["B"], n["K"], *n["shape"]), make(*n["shape"], real=True)
    return lambda: functional.pad(image * apodisation, _padding(n))


def _pad_image_with_maps(n: Sizes, make: Make) -> Callable[[], Any]:
    image, maps = make(n["B"], 1, *n["shape"]), make(1, n["K"], *n["shape"])
    apodisation = make(*n["shape"], real=True)
    return lambda: functional.pad(image * maps * apodisation, _padding(n))


def _inside(n: Sizes) -> tuple[slice, ...]:
    return (slice(None), slice(None), *(slice(size) for size in n["shape"]))


def _crop_image(n: Sizes, make: Make) -> Callable[[], Any]:
    points, apodisation = make(n["B"], n["K"], *n["grid"]), make(*n["shape"], real=True)
    return lambda: points[_inside(n)] * apodisation


def _crop_image_with_maps(n: Sizes, make: Make) -> Callable[[], Any]:
    points, maps = make(n["B"], n["K"], *n["grid"]), make(1, n["K"], *n["shape"])
    apodisation = make(*n["shape"], real=True)
    return lambda: (maps.conj() * points[_inside(n)] * apodisation).sum(1, keepdim=True)


def _interpolate(n: Sizes, make: Make) -> Callable[[], Any]:
    points, index = make(n["I"], n["G"]), _index(n["M"] * n["W"])
    weights = make(n["M"], n["W"], real=True)

    def compute() -> Tensor:
        near = points.index_select(1, index).unflatten(1, (n["M"], n["W"]))
        return (near * weights).sum(-1)

    return compute


def _sort_samples(n: Sizes, make: Make) -> Callable[[], Any]:
    kspace, order = make(n["I"], n["M"]), _index(n["M"])
    return lambda: kspace.index_select(1, order)


def _spread(n: Sizes, make: Make) -> Callable[[], Any]:
    kspace, index = make(n["I"], n["M"]), _index(n["M"] * n["W"])
    weights, grid = make(n["M"], n["W"], real=True), make(n["I"], n["G"])
    return lambda: grid.index_add_(1, index, (kspace[..., None] * weights).flatten(1))


def _apply_transfer(n: Sizes, make: Make) -> Callable[[], Any]:
    points, weights = make(n["B"], n["K"], *n["grid"]), make(*n["grid"], real=True)
    return lambda: points * weights


# --- instance norm and PReLU


def _features(n: Sizes, make: Make) -> Tensor:
    return make(n["B"], n["K"], *n["shape"], real=True)


def _norm_moments(n: Sizes, make: Make) -> Callable[[], Any]:
    x = _features(n, make)
    return lambda: torch.var_mean(x, (-2, -1))


def _norm_statistics(n: Sizes, make: Make) -> Callable[[], Any]:
    partials = make(n["S"] // 8192, 2, n["K"], real=True)
    return lambda: torch.rsqrt(partials.mean(0))


def _apply_norm(n: Sizes, make: Make) -> Callable[[], Any]:
    x, slope = _features(n, make), make(1, real=True)
    mean, rstd = (make(n["B"], n["K"], 1, 1, real=True) for _ in range(2))
    return lambda: functional.prelu((x - mean) * rstd, slope)


def _grad_norm_sums(n: Sizes, make: Make) -> Callable[[], Any]:
    grad, normal = _features(n, make), _features(n, make)
    return lambda: (grad.sum((-2, -1)), (grad * normal).sum((-2, -1)))


def _grad_norm_means(n: Sizes, make: Make) -> Callable[[], Any]:
    partials = make(n["S"] // 8192, 3, n["K"], real=True)
    return lambda: partials.sum(0)


def _grad_norm(n: Sizes, make: Make) -> Callable[[], Any]:
    x, slope = _features(n, make).requires_grad_(), make(1, real=True).requires_grad_()
    out = functional.prelu(functional.instance_norm(x), slope)
    grad = torch.empty_like(out)
    return lambda: torch.autograd.grad(out, (x, slope), grad)


COMPOSITIONS: dict[str, Callable[[Sizes, Make], Callable[[], Any]]] = {
    "apply_mask": _apply_mask,
    "apply_mask_with_noise": _apply_mask_with_noise,
    "enforce_consistency": _enforce_consistency,
    "enforce_consistency_with_weight": _enforce_with_weight,
    "grad_enforce_consistency_with_weight": _grad_enforce_with_weight,
    "grad_noise_weight": _grad_noise_weight,
    "expand_coils": _expand_coils,
    "combine_coils": _combine_coils,
    "grad_coil_maps": _grad_coil_maps,
    "ssim": _ssim,
    "grad_ssim": _grad_ssim,
    "mean": _mean,
    "pad_image": _pad_image,
    "pad_image_with_maps": _pad_image_with_maps,
    "crop_image": _crop_image,
    "crop_image_with_maps": _crop_image_with_maps,
    "interpolate": _interpolate,
    "sort_samples": _sort_samples,
    "spread": _spread,
    "apply_transfer": _apply_transfer,
    "norm_moments": _norm_moments,
    "norm_statistics": _norm_statistics,
    "apply_norm": _apply_norm,
    "grad_norm_sums": _grad_norm_sums,
    "grad_norm_means": _grad_norm_means,
    "grad_norm": _grad_norm,
}
