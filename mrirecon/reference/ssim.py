"""Structural similarity, written as its definition, window by window.

Sources: Wang, Bovik, Sheikh and Simoncelli 2004 (10.1109/TIP.2003.819861), equation 13 and the
Gaussian window; the uniform window with sample covariance is what fastMRI (arXiv 1811.08839)
scores with. Every window is cut out and centred before it is squared, so nothing cancels.
"""

import math
from typing import Literal

import torch
from torch import Tensor

WindowName = Literal["uniform", "gaussian"]


def ssim(
    prediction: Tensor, target: Tensor, *, data_range: float | Tensor, window: WindowName
) -> Tensor:
    """Average `ssim_map` over each image.

    Args:
        prediction: float, (..., rows, cols).
        target: the same shape and dtype.
        data_range: largest minus smallest possible value, > 0; a tensor broadcasts to (...,).
        window: "uniform" (7 x 7, sample covariance) or "gaussian" (11 x 11, sigma 1.5 pixels).

    Returns:
        Mean SSIM of each image, shape (...,).
    """
    similarity = ssim_map(prediction, target, data_range=data_range, window=window)
    return similarity.mean((-2, -1))


def ssim_map(
    prediction: Tensor, target: Tensor, *, data_range: float | Tensor, window: WindowName
) -> Tensor:
    """Compare two images in every window that fits (Wang 2004, equation 13).

    SSIM = (2 mx my + C1) (2 sxy + C2) / ((mx^2 + my^2 + C1) (sx^2 + sy^2 + C2)),
    with C1 = (0.01 data_range)^2, C2 = (0.03 data_range)^2.

    Args:
        prediction: float, (..., rows, cols).
        target: the same shape and dtype.
        data_range: largest minus smallest possible value, > 0; a tensor broadcasts to (...,).
        window: "uniform" (7 x 7, sample covariance) or "gaussian" (11 x 11, sigma 1.5 pixels).

    Returns:
        SSIM at each position, shape (..., rows - k + 1, cols - k + 1), k = 7 or 11.
    """
    weights, covariance_scale = window_weights(window, prediction)  # (k, k)
    size = weights.shape[-1]
    x = prediction.unfold(-2, size, 1).unfold(
        -2, size, 1
    )  # (..., rows - k + 1, cols - k + 1, k, k)
    y = target.unfold(-2, size, 1).unfold(-2, size, 1)

    def average(values: Tensor) -> Tensor:
        return (values * weights).sum((-2, -1))

    mean_x, mean_y = average(x), average(y)
    x, y = x - mean_x[..., None, None], y - mean_y[..., None, None]
    variances = covariance_scale * average(x * x + y * y)
    covariance = covariance_scale * average(x * y)

    scale = torch.as_tensor(data_range, dtype=x.dtype, device=x.device)[..., None, None]
    c1, c2 = (0.01 * scale) ** 2, (0.03 * scale) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance * (2 * covariance + c2) / (variances + c2)


def window_weights(window: WindowName, like: Tensor) -> tuple[Tensor, float]:
    """Return the window's weights, (k, k), sum 1, and the factor that its covariances carry.

    Raises:
        ValueError: no such window.
    """
    if window == "uniform":  # n / (n - 1): the sample covariance of n = 49 pixels
        return like.new_full((7, 7), 1 / 49), 49 / 48
    if window == "gaussian":
        line = like.new_tensor([math.exp(-((i - 5) ** 2) / (2 * 1.5**2)) for i in range(11)])
        return torch.outer(line, line) / line.sum() ** 2, 1.0
    raise ValueError(f"window: expected 'uniform' or 'gaussian', got {window!r}")
