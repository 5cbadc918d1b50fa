"""The normal operator of a NUFFT as a convolution on a grid of twice the size.

Source: Fessler, Lee, Olafsson, Shi and Noll 2005 (DOI 10.1109/TSP.2005.853152).
"""

import math

import torch
from torch import Tensor

from mrirecon.nufft.plan import choose_gridding, make_plan
from mrirecon.ops.nufft import PlanTensors, nufft_adjoint


def toeplitz_kernel(
    coords: Tensor, shape: tuple[int, ...], density: Tensor | None, accuracy: float
) -> Tensor:
    """Compute the transfer function of A* D A, for images padded to twice their size.

    The entry of A* D A between pixels that are d apart is
    1 / pixels * sum over samples of density exp(2 pi i coords d / n): the adjoint transform of
    the weights on an image of twice the size, whose Fourier transform is real since the entry of
    -d is the conjugate. Computed in float64.

    Args:
        coords: real, (samples, ndim) or (batch, samples, ndim), cycles per field of view.
        shape: of the image.
        density: real, (samples,) or (batch, samples), or None for ones.
        accuracy: of the transform; the kernel has a tenth of it.

    Returns:
        real as `coords`, (batch or 1, *twice the shape), zero frequency first.
    """
    double = tuple(2 * n for n in shape)
    moved = coords.detach().double() * 2
    moved = moved if moved.ndim == 3 else moved[None]
    weights = moved.new_ones(moved.shape[:2]) if density is None else density.detach().double()
    weights = weights.reshape(-1, 1, weights.shape[-1])
    gridding = choose_gridding(double, moved.shape[1], 1, accuracy / 10, torch.float64)
    plan = make_plan(moved, double, gridding)
    if plan.offsets.shape[0] != weights.shape[0]:  # weights of each batch element, one trajectory
        weights = weights.expand(max(plan.offsets.shape[0], weights.shape[0]), -1, -1)
    response = nufft_adjoint(weights.to(plan.roots.dtype).contiguous(), None, moved, plan)[:, 0]
    for axis in range(1, response.ndim):  # distance -n: never between two pixels
        response.select(axis, 0).zero_()
    axes = tuple(range(1, response.ndim))
    scale = math.sqrt(math.prod(double)) / math.prod(shape)
    transfer = torch.fft.fftn(torch.fft.ifftshift(response, dim=axes), dim=axes).real * scale
    return transfer.to(coords.dtype)


def apply_toeplitz(image: Tensor, kernel: Tensor, coil_maps: Tensor | None = None) -> Tensor:
    """Convolve images with the kernel of `toeplitz_kernel`.

    Args:
        image: complex, (batch, coils, *shape); with `coil_maps` (batch, 1, *shape).
        kernel: real, (batch or 1, *twice the shape).
        coil_maps: complex, (batch or 1, coils, *shape).

    Returns:
        complex, shape of `image`.
    """
    coil_images = image if coil_maps is None else image * coil_maps
    axes = tuple(range(2, image.ndim))
    padded = torch.fft.fftn(coil_images, s=kernel.shape[1:], dim=axes) * kernel[:, None]
    crop = (slice(None), slice(None), *(slice(n) for n in image.shape[2:]))
    result = torch.fft.ifftn(padded, dim=axes)[crop]
    if coil_maps is None:
        return result.contiguous()
    return (coil_maps.conj() * result).sum(1, keepdim=True)


def toeplitz_is_faster(plan: PlanTensors) -> bool:
    """Estimate whether the convolution takes less time than both transforms.

    It costs two transforms of 2^ndim times the pixels and no gridding.
    """
    points = math.prod(2 * n for n in plan.shape)
    grid = math.prod(plan.grid)
    pair = 2 * grid * math.log2(grid) + 0.5 * plan.offsets.shape[1] * plan.width ** len(plan.grid)
    return 4 * points * math.log2(points) < pair
