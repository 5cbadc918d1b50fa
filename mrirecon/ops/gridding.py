"""The NUFFT on a GPU: native kernels around torch's fast Fourier transform.

On the CPU the whole is one native pass (csrc/nufft.cpp), so the parts have kernels for CUDA alone.
They have no gradients: those of `mrirecon.ops.nufft` are the two transforms again.
"""

from typing import Any

import torch
from torch import Tensor

from mrirecon.ops.nufft import PlanTensors


def nufft_by_parts(
    operators: Any, image: Tensor, coil_maps: Tensor | None, plan: PlanTensors
) -> Tensor:
    """Sample the Fourier transform of images: pad, transform, interpolate.

    Args:
        operators: has the native operators; `torch.ops.mrirecon`, or the emulated ones in tests.
        image: complex, (batch, coils, *shape); with `coil_maps` (batch, 1, *shape).
        coil_maps: complex, (batch or 1, coils, *shape).
        plan: of the trajectory, on the device of `image`.

    Returns:
        complex, (batch, coils, samples).

    Raises:
        ValueError: a shape, dtype or device not as above.
    """
    padding = (plan.apodisation, plan.shape, plan.grid)
    points = _transform(operators.pad_image(image, coil_maps, *padding))  # (batch, coils, *grid)
    return operators.interpolate(points, *plan)


def nufft_adjoint_by_parts(
    operators: Any, kspace: Tensor, coil_maps: Tensor | None, plan: PlanTensors
) -> Tensor:
    """Apply the adjoint of `nufft_by_parts`: spread, transform back, crop.

    The order of its sums is fixed, so it gives the same bits every time.

    Args:
        operators: as in `nufft_by_parts`.
        kspace: complex, (batch, coils, samples).
        coil_maps: complex, (batch or 1, coils, *shape).
        plan: of the trajectory, on the device of `kspace`.

    Returns:
        complex, (batch, coils, *shape); with `coil_maps` (batch, 1, *shape).

    Raises:
        ValueError: a shape, dtype or device not as above.
    """
    points = _transform_back(operators.spread(kspace, *plan))  # (batch, coils, *grid)
    return operators.crop_image(points, coil_maps, plan.apodisation, plan.shape, plan.grid)


def nufft_normal_by_parts(  # noqa: PLR0917  (the schema's order)
    operators: Any,
    image: Tensor,
    coil_maps: Tensor | None,
    transfer: Tensor,
    apodisation: Tensor,
    shape: tuple[int, ...],
    grid: tuple[int, ...],
) -> Tensor:
    """Convolve images by weights on a grid: pad, transform, multiply, transform back, crop.

    Args:
        operators: as in `nufft_by_parts`.
        image: complex, (batch, coils, *shape); with `coil_maps` (batch, 1, *shape).
        coil_maps: complex, (batch or 1, coils, *shape).
        transfer: real, (batch or 1, depth, rows / 8, cols, 8), weights of the grid's points.
        apodisation: real, (depth + rows + cols,), what the image is multiplied with.
        shape: of the image.
        grid: of the padded image.

    Returns:
        complex, shape of `image`.

    Raises:
        ValueError: a shape, dtype or device not as above.
    """
    padding = (apodisation, shape, grid)
    points = _transform(operators.pad_image(image, coil_maps, *padding)).contiguous()
    operators.apply_transfer(points, transfer, grid)  # in place
    return operators.crop_image(_transform_back(points), coil_maps, *padding)


def _transform(points: Tensor) -> Tensor:
    """Transform the spatial axes; cuFFT refuses an empty batch."""
    return torch.fft.fftn(points, dim=_spatial_axes(points)) if points.numel() else points


def _transform_back(points: Tensor) -> Tensor:
    """Apply the adjoint of `_transform`: norm="forward" leaves this direction unscaled."""
    if not points.numel():
        return points
    return torch.fft.ifftn(points, dim=_spatial_axes(points), norm="forward")


def _spatial_axes(points: Tensor) -> tuple[int, ...]:
    return tuple(range(2, points.ndim))


@torch.library.impl("mrirecon::nufft", "CUDA")
def _(image: Tensor, coil_maps: Tensor | None, coords: Tensor, *plan: Any) -> Tensor:
    return nufft_by_parts(torch.ops.mrirecon, image, coil_maps, PlanTensors(*plan))


@torch.library.impl("mrirecon::nufft_adjoint", "CUDA")
def _(kspace: Tensor, coil_maps: Tensor | None, coords: Tensor, *plan: Any) -> Tensor:
    return nufft_adjoint_by_parts(torch.ops.mrirecon, kspace, coil_maps, PlanTensors(*plan))


@torch.library.impl("mrirecon::nufft_normal", "CUDA")
def _(image: Tensor, coil_maps: Tensor | None, *convolution: Any) -> Tensor:
    transfer, apodisation, _roots, shape, grid = convolution  # roots: of the CPU's own transform
    operands = (image, coil_maps, transfer, apodisation, shape, grid)
    return nufft_normal_by_parts(torch.ops.mrirecon, *operands)
