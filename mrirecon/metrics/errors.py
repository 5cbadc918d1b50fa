"""Pixel by pixel errors, pooled over a slice, a volume or a region of interest.

Sums are float64 whatever the images are, so that a volume's score does not depend on its size.
Differentiable, and on the images' device.
"""

import torch
from torch import Tensor

SLICE = (-2, -1)


def psnr(
    prediction: Tensor,
    target: Tensor,
    *,
    data_range: float | Tensor,
    dims: tuple[int, ...] = SLICE,
    region: Tensor | None = None,
) -> Tensor:
    """Compute the peak signal-to-noise ratio, 10 log10(data_range^2 / mean squared error).

    Args:
        prediction: real, (..., rows, cols).
        target: fully sampled image, same shape and units.
        data_range: positive, in the images' units; a number, or a tensor that broadcasts to the
            shape left after `dims` are reduced.
        dims: axes pooled; (-2, -1) gives one value a slice, (-3, -2, -1) one a volume.
        region: bool, broadcasts to the images' shape; only its pixels count. None for all.

    Returns:
        float64, shape without `dims`, [dB]; infinite where the images are equal, NaN where the
        region is empty. NaN propagates.

    Raises:
        ValueError: shapes differ, or `region` is not as above.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import psnr
        >>> target = torch.ones(2, 8, 8)  # (slices, rows, cols)
        >>> psnr(target + 0.1, target, data_range=1.0).round(decimals=3)
        tensor([20., 20.], dtype=torch.float64)
        >>> psnr(target + 0.1, target, data_range=1.0, dims=(-3, -2, -1)).shape  # one of the volume
        torch.Size([])
    """
    check_shapes(prediction, target)
    error = _mean((prediction - target).square(), dims, region)
    peak = torch.as_tensor(data_range, dtype=torch.float64, device=error.device)
    return 10 * (peak.square() / error).log10()


def nmse(
    prediction: Tensor,
    target: Tensor,
    *,
    dims: tuple[int, ...] = SLICE,
    region: Tensor | None = None,
) -> Tensor:
    """Compute the normalised mean squared error, |prediction - target|^2 / |target|^2.

    Args:
        prediction: as in `psnr`.
        target: as in `psnr`.
        dims: as in `psnr`.
        region: as in `psnr`.

    Returns:
        float64, shape without `dims`; infinite or NaN where the target is zero everywhere.

    Raises:
        ValueError: as `psnr`.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import nmse
        >>> target = torch.ones(2, 8, 8)
        >>> nmse(target + 0.1, target).round(decimals=4)
        tensor([0.0100, 0.0100], dtype=torch.float64)
    """
    check_shapes(prediction, target)
    error = _mean((prediction - target).square(), dims, region)
    return error / _mean(target.square(), dims, region)


def nrmse(
    prediction: Tensor,
    target: Tensor,
    *,
    dims: tuple[int, ...] = SLICE,
    region: Tensor | None = None,
) -> Tensor:
    """Compute the normalised root mean squared error, the square root of `nmse`.

    That is the Euclidean normalisation of scikit-image; others divide by the range or the mean.

    Args:
        prediction: as in `psnr`.
        target: as in `psnr`.
        dims: as in `psnr`.
        region: as in `psnr`.

    Returns:
        float64, shape without `dims`.

    Raises:
        ValueError: as `psnr`.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import nrmse
        >>> target = torch.ones(2, 8, 8)
        >>> nrmse(target + 0.1, target).round(decimals=4)
        tensor([0.1000, 0.1000], dtype=torch.float64)
    """
    return nmse(prediction, target, dims=dims, region=region).sqrt()


def difference_std(
    prediction: Tensor,
    target: Tensor,
    *,
    dims: tuple[int, ...] = SLICE,
    region: Tensor | None = None,
) -> Tensor:
    """Compute the standard deviation of prediction - target: the error apart from a constant.

    Args:
        prediction: as in `psnr`.
        target: as in `psnr`.
        dims: as in `psnr`.
        region: as in `psnr`.

    Returns:
        float64, shape without `dims`, in the images' units; divided by the number of pixels, not
        by one less.

    Raises:
        ValueError: as `psnr`.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import difference_std
        >>> target = torch.ones(1, 2, 2)
        >>> error = torch.tensor([[0.3, 0.1], [0.3, 0.1]])
        >>> difference_std(target + error, target).round(decimals=4)
        tensor([0.1000], dtype=torch.float64)
    """
    check_shapes(prediction, target)
    difference = (prediction - target).double()
    mean = _mean(difference, dims, region, keepdim=True)
    return _mean((difference - mean).square(), dims, region).sqrt()


def check_shapes(prediction: Tensor, target: Tensor) -> None:
    """Refuse images of different shapes.

    Raises:
        ValueError: they differ.
    """
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction: expected the target's shape {tuple(target.shape)}, "
            f"got {tuple(prediction.shape)}"
        )


def check_region(region: Tensor, target: Tensor) -> Tensor:
    """Give the region expanded to the target's shape.

    Raises:
        ValueError: it is not bool or does not broadcast.
    """
    if region.dtype != torch.bool:
        raise ValueError(f"region: expected dtype bool, got {region.dtype}")
    try:
        return region.expand(target.shape)
    except RuntimeError:
        raise ValueError(
            f"region: expected a shape that broadcasts to {tuple(target.shape)}, "
            f"got {tuple(region.shape)}"
        ) from None


def _mean(
    values: Tensor, dims: tuple[int, ...], region: Tensor | None, *, keepdim: bool = False
) -> Tensor:
    """Average in float64, over the region only where there is one."""
    if region is None:
        return values.mean(dims, keepdim=keepdim, dtype=torch.float64)
    inside = check_region(region, values)
    total = values.where(inside, 0).sum(dims, keepdim=keepdim, dtype=torch.float64)
    return total / inside.sum(dims, keepdim=keepdim)
