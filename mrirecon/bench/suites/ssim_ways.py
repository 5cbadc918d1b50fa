"""SSIM of images as plain PyTorch, fastMRI and five packages compute it.

Every function takes prediction and target, (batch, 1, rows, cols), values in [0, 1], and returns a
score for each image, so that all can be compared. Where a package differs in what it does at the
edges, its map is cropped to the windows that fit.
"""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mrirecon import ops
from mrirecon.bench.suites.operands import compiled
from mrirecon.ops.ssim import WindowName
from mrirecon.reference import ssim as reference

Measure = Callable[[Tensor, Tensor], Tensor]
Average = Callable[[Tensor], Tensor]
GAUSSIAN_ONLY = ("torchmetrics", "pytorch-msssim", "piqa")
_BORDER = 5  # of a window of 11 pixels


def measures(window: WindowName, like: Tensor) -> dict[str, Callable[[], Measure]]:
    """Return what makes each way's measure; those of packages import them."""
    weights, scale = reference.window_weights(window, like)
    line = weights.sum(0)
    slices = partial(from_averages, partial(add_slices, line.tolist()), scale)
    found: dict[str, Callable[[], Measure]] = {
        "mrirecon": lambda: partial(ops.ssim, data_range=1.0, window=window),
        "PyTorch: shifted slices": lambda: slices,
        "PyTorch: separable convolutions": lambda: partial(
            from_averages, partial(convolve, line), scale
        ),
        "torch.compile: shifted slices": lambda: compiled(slices),
        "scikit-image": lambda: partial(_by_scikit_image, window),
    }
    if window == "uniform":
        whole = partial(functional.conv2d, weight=weights[None, None])
        found["fastMRI's formulas"] = lambda: partial(from_averages, whole, scale, together=False)
    else:
        found["torchmetrics"] = _torchmetrics
        found["pytorch-msssim"] = _pytorch_msssim
        found["piqa"] = _piqa
    return found


def from_averages(
    average: Average, scale: float, prediction: Tensor, target: Tensor, *, together: bool = True
) -> Tensor:
    """Compute SSIM as most code does: from the averages of x, y, x^2, y^2 and xy.

    Args:
        average: averages images over each window that fits.
        scale: that covariances carry.
        prediction: (batch, 1, rows, cols).
        target: the same shape.
        together: whether all five are averaged in one call.

    Returns:
        (batch, 1).
    """
    x, y = prediction, target
    fields = [x, y, x * x, y * y, x * y]
    averages = average(torch.cat(fields)).chunk(5) if together else map(average, fields)
    mean_x, mean_y, xx, yy, xy = averages
    variances = scale * (xx - mean_x**2 + yy - mean_y**2)
    covariance = scale * (xy - mean_x * mean_y)
    luminance = (2 * mean_x * mean_y + 1e-4) / (mean_x**2 + mean_y**2 + 1e-4)
    return (luminance * (2 * covariance + 9e-4) / (variances + 9e-4)).mean((-2, -1))


def convolve(line: Tensor, image: Tensor) -> Tensor:
    """Average by two convolutions, since both windows are separable."""
    line = line.to(image)
    across = functional.conv2d(image, line.reshape(1, 1, 1, -1))
    return functional.conv2d(across, line.reshape(1, 1, -1, 1))


def add_slices(line: list[float], image: Tensor) -> Tensor:
    """Average by adding shifted slices, the fastest that was found in plain PyTorch on a CPU."""
    rows, cols = (size - len(line) + 1 for size in image.shape[-2:])
    down = sum(weight * image[..., i : i + rows, :] for i, weight in enumerate(line))
    assert isinstance(down, Tensor)
    across = sum(weight * down[..., i : i + cols] for i, weight in enumerate(line))
    assert isinstance(across, Tensor)
    return across


def _by_scikit_image(window: WindowName, prediction: Tensor, target: Tensor) -> Tensor:
    measure: Any = importlib.import_module("skimage.metrics").structural_similarity
    is_uniform = window == "uniform"
    options = {} if is_uniform else {"gaussian_weights": True, "sigma": 1.5}
    options |= {"data_range": 1.0, "use_sample_covariance": is_uniform}
    pairs = zip(prediction.flatten(0, 1).numpy(), target.flatten(0, 1).numpy(), strict=True)
    scores = [measure(y, x, **options) for x, y in pairs]
    return torch.tensor(scores).reshape(prediction.shape[:-2])


def _torchmetrics() -> Measure:
    functions: Any = importlib.import_module("torchmetrics.functional.image")

    def measure(prediction: Tensor, target: Tensor) -> Tensor:
        _, similarity = functions.structural_similarity_index_measure(
            prediction, target, data_range=1.0, return_full_image=True
        )
        inside = slice(_BORDER, -_BORDER)  # it mirrors what lies outside
        return similarity[..., inside, inside].mean((-2, -1))

    return measure


def _pytorch_msssim() -> Measure:
    package: Any = importlib.import_module("pytorch_msssim")
    return lambda x, y: package.ssim(x, y, data_range=1.0, size_average=False)[:, None]


def _piqa() -> Measure:
    package: Any = importlib.import_module("piqa")
    module = package.SSIM(n_channels=1, reduction="none")
    return lambda x, y: module(x.clamp(0, 1), y)[:, None]  # it refuses what is outside [0, 1]
