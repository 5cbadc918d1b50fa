"""Structural measures beside SSIM of a slice: of a volume, of several scales, of a region, UQI.

Written in torch operations: differentiable, on any device, in the images' precision. The slice's
own SSIM, the one that is needed at every step, is the fused `mrirecon.ops.ssim`.

Sources: Wang et al. 2004 (SSIM, 10.1109/TIP.2003.819861); Wang, Simoncelli and Bovik 2003
(MS-SSIM, 10.1109/ACSSC.2003.1292216); Wang and Bovik 2002 (UQI, 10.1109/97.995823).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv1d

from mrirecon.metrics.errors import check_region, check_shapes
from mrirecon.ops import ssim_map
from mrirecon.ops.ssim import WindowName

MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, finest first; Wang 2003, section 3.2."""
_UQI_SIZE = 8  # Wang 2002, section 3
_K1, _K2 = 0.01, 0.03  # Wang 2004, section 3.C


class _Moments(NamedTuple):
    """Weighted means, variances and covariance of two images in every window that fits."""

    mean_x: Tensor
    mean_y: Tensor
    variances: Tensor
    covariance: Tensor


def ssim_volume(
    prediction: Tensor, target: Tensor, *, data_range: float | Tensor, window: WindowName
) -> Tensor:
    """Average SSIM over a volume, with windows of three dimensions.

    The formula of `mrirecon.ops.ssim_map` with means and covariances over cubes of 7 ("uniform")
    or 11 ("gaussian") voxels, as scikit-image computes it for three axes.

    Args:
        prediction: float, (..., depth, rows, cols), each at least as large as the window.
        target: same shape and dtype.
        data_range: largest minus smallest possible value, > 0; a tensor broadcasts to (...,).
        window: "uniform" with sample covariance (343/342), or "gaussian", sigma 1.5 voxels.

    Returns:
        Mean SSIM of each volume, (...,), dtype of `prediction`.

    Raises:
        ValueError: shapes differ, or an axis is shorter than the window.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import ssim_volume
        >>> volume = torch.linspace(0, 1, 16**3).reshape(16, 16, 16)
        >>> ssim_volume(volume, volume, data_range=1.0, window="uniform").round(decimals=4)
        tensor(1.)
    """
    check_shapes(prediction, target)
    line = _window_line(window, prediction)
    _check_size(prediction, len(line), n_axes=3)
    n = len(line) ** 3
    scale = n / (n - 1) if window == "uniform" else 1.0
    moments = _moments(prediction, target, line, n_axes=3)
    c1, c2 = _constants(data_range, prediction, n_axes=3)
    luminance, structure = _terms(moments, c1, c2, scale)
    return (luminance * structure).mean((-3, -2, -1))


def ms_ssim(prediction: Tensor, target: Tensor, *, data_range: float | Tensor) -> Tensor:
    """Compute multi-scale SSIM (Wang 2003, equation 7).

    Product over five scales, each half as fine as the one before (means of 2 x 2 pixels, an odd
    last row or column left out), of mean contrast-and-structure to the power of the scale's
    weight; at the coarsest, of mean SSIM. Window: 11 x 11 Gaussian, sigma 1.5 pixels. A negative
    mean, which has no power, counts as 0. pytorch-msssim gives the same where every scale has an
    even size; torchmetrics also averages mirrored edges at the coarsest and differs by some 1e-4.

    Args:
        prediction: float, (..., rows, cols), each 176 or more.
        target: same shape and dtype.
        data_range: largest minus smallest possible value, > 0; a tensor broadcasts to (...,).

    Returns:
        (...,), dtype of `prediction`, from 0 to 1; 1 for equal images.

    Raises:
        ValueError: shapes differ, or the image is too small for five scales.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import ms_ssim
        >>> image = torch.linspace(0, 1, 176 * 176).reshape(1, 176, 176)
        >>> ms_ssim(image, image, data_range=1.0).round(decimals=4)
        tensor([1.])
        >>> ms_ssim(image.sqrt(), image, data_range=1.0).round(decimals=2)
        tensor([0.9500])
    """
    check_shapes(prediction, target)
    line = _window_line("gaussian", prediction)
    _check_size(prediction, len(line) * 2 ** (len(MS_SSIM_WEIGHTS) - 1), n_axes=2)
    c1, c2 = _constants(data_range, prediction, n_axes=2)
    shape = prediction.shape[:-2]
    x, y = (image.reshape(-1, 1, *image.shape[-2:]) for image in (prediction, target))
    if c1.dim():
        c1, c2 = (constant.expand(*shape, 1, 1).reshape(-1, 1, 1, 1) for constant in (c1, c2))
    product = torch.ones((), dtype=x.dtype, device=x.device)
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        luminance, structure = _terms(_moments(x, y, line, n_axes=2), c1, c2, 1.0)
        if scale == len(MS_SSIM_WEIGHTS) - 1:
            structure = luminance * structure
        mean = structure.mean((-3, -2, -1))
        # The slope of a power at 0 is infinite, so that 0 must not get there.
        product = product * torch.where(mean > 0, mean, 1) ** weight * (mean > 0)
        x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
    return product.reshape(shape)


def uqi(prediction: Tensor, target: Tensor) -> Tensor:
    """Compute the universal image quality index (Wang 2002, equation 2), the mean over windows.

    SSIM without constants, over 8 x 8 pixels: it needs no data range, and weighs a difference in
    a dark, flat region as much as one in the image. Where both windows are flat, their means
    alone are compared; where both are zero, they are equal.

    Args:
        prediction: float, (..., rows, cols), each 8 or more.
        target: same shape.

    Returns:
        float64, (...,), from -1 to 1.

    Raises:
        ValueError: shapes differ, or the image is smaller than the window.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import uqi
        >>> image = torch.linspace(0, 1, 32 * 32).reshape(1, 32, 32)
        >>> uqi(image, image).round(decimals=4)
        tensor([1.], dtype=torch.float64)
    """
    check_shapes(prediction, target)
    _check_size(prediction, _UQI_SIZE, n_axes=2)
    line = torch.full((_UQI_SIZE,), 1 / _UQI_SIZE, dtype=torch.float64, device=prediction.device)
    m = _moments(prediction.double(), target.double(), line, n_axes=2)
    energy = m.mean_x.square() + m.mean_y.square()
    # Flat windows leave a variance of rounding size, not of zero.
    is_flat = m.variances <= 64 * torch.finfo(torch.float64).eps * energy
    luminance = torch.where(energy > 0, 2 * m.mean_x * m.mean_y / energy, 1.0)
    structure = torch.where(is_flat, 1.0, 2 * m.covariance / m.variances)
    return (luminance * structure).mean((-2, -1))


def ssim_in_region(
    prediction: Tensor,
    target: Tensor,
    region: Tensor,
    *,
    data_range: float | Tensor,
    window: WindowName,
) -> Tensor:
    """Average SSIM over the windows whose centre lies in a region, such as a lesion.

    Args:
        prediction: float32 or float64, (..., rows, cols), at least as large as the window.
        target: same shape and dtype.
        region: bool, broadcasts to the images' shape.
        data_range: as in `mrirecon.ops.ssim`.
        window: as in `mrirecon.ops.ssim`.

    Returns:
        (...,), dtype of `prediction`; NaN where no window's centre is in the region.

    Raises:
        ValueError: shapes differ, or `region` is no bool tensor of that shape.

    Examples:
        >>> import torch
        >>> from mrirecon.metrics import ssim_in_region
        >>> target = torch.linspace(0, 1, 32 * 32).reshape(1, 32, 32)
        >>> prediction = target.clone()
        >>> prediction[:, :8] = 0  # wrong, but not in the lesion
        >>> lesion = torch.zeros(32, 32, dtype=torch.bool)
        >>> lesion[20:24, 10:20] = True
        >>> ssim_in_region(prediction, target, lesion, data_range=1.0, window="uniform")
        tensor([1.])
    """
    check_shapes(prediction, target)
    inside = check_region(region, target)
    similarity = ssim_map(prediction, target, data_range=data_range, window=window)
    margin = (target.shape[-1] - similarity.shape[-1]) // 2
    inside = inside[..., margin : -margin or None, margin : -margin or None]
    return similarity.where(inside, 0).sum((-2, -1)) / inside.sum((-2, -1))


def _window_line(window: WindowName, like: Tensor) -> Tensor:
    """Give the weights of a window along one axis, (k,), sum 1."""
    if window == "uniform":
        return like.new_full((7,), 1 / 7)
    line = like.new_tensor([math.exp(-((i - 5) ** 2) / (2 * 1.5**2)) for i in range(11)])
    return line / line.sum()


def _check_size(image: Tensor, smallest: int, *, n_axes: int) -> None:
    shape = tuple(image.shape[-n_axes:])
    if len(shape) < n_axes or min(shape) < smallest:
        raise ValueError(
            f"prediction: expected {smallest} or more along {n_axes} axes, got {shape}"
        )


def _constants(data_range: float | Tensor, like: Tensor, *, n_axes: int) -> tuple[Tensor, Tensor]:
    scale = torch.as_tensor(data_range, dtype=like.dtype, device=like.device)
    if scale.dim():
        scale = scale[(..., *(None,) * n_axes)]
    return (_K1 * scale).square(), (_K2 * scale).square()


def _terms(m: _Moments, c1: Tensor, c2: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Give luminance and contrast-and-structure (Wang 2004, equations 6, 9 and 10)."""
    luminance = (2 * m.mean_x * m.mean_y + c1) / (m.mean_x**2 + m.mean_y**2 + c1)
    return luminance, (2 * scale * m.covariance + c2) / (scale * m.variances + c2)


def _moments(x: Tensor, y: Tensor, line: Tensor, *, n_axes: int) -> _Moments:
    """Filter the images and their products; both are first moved by one constant to near zero.

    Variances do not change by that, and less of them is lost where E[x^2] - E[x]^2 cancels.
    """
    centre = y.detach().mean(tuple(range(-n_axes, 0)), keepdim=True)
    x, y = x - centre, y - centre
    stack = torch.stack([x, y, x * x + y * y, x * y])
    mean_x, mean_y, squares, product = _smooth(stack, line, n_axes=n_axes)
    return _Moments(
        mean_x + centre,
        mean_y + centre,
        (squares - mean_x.square() - mean_y.square()).clamp_min(0),
        product - mean_x * mean_y,
    )


def _smooth(images: Tensor, line: Tensor, *, n_axes: int) -> Tensor:
    """Weigh every window that fits, one axis after another."""
    for axis in range(-n_axes, 0):
        moved = images.movedim(axis, -1)
        flat = conv1d(moved.reshape(-1, 1, moved.shape[-1]), line[None, None])
        images = flat.reshape(*moved.shape[:-1], -1).movedim(-1, axis)
    return images
