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
    points = operators.pad_image(image, coil_maps, *plan)  # (batch, coils, *grid)
    if points.numel() > 0:
        points = torch.fft.fftn(points, dim=_spatial_axes(points))
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
    points = operators.spread(kspace, *plan)  # (batch, coils, *grid)
    if points.numel() > 0:
        # norm="forward" leaves this direction unscaled: the adjoint, not the inverse.
        points = torch.fft.ifftn(points, dim=_spatial_axes(points), norm="forward")
    return operators.crop_image(points, coil_maps, *plan)


def _spatial_axes(points: Tensor) -> tuple[int, ...]:
    return tuple(range(2, points.ndim))


@torch.library.impl("mrirecon::nufft", "CUDA")
def _(image: Tensor, coil_maps: Tensor | None, coords: Tensor, *plan: Any) -> Tensor:
    return nufft_by_parts(torch.ops.mrirecon, image, coil_maps, PlanTensors(*plan))


@torch.library.impl("mrirecon::nufft_adjoint", "CUDA")
def _(kspace: Tensor, coil_maps: Tensor | None, coords: Tensor, *plan: Any) -> Tensor:
    return nufft_adjoint_by_parts(torch.ops.mrirecon, kspace, coil_maps, PlanTensors(*plan))
