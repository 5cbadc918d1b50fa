"""SSIM, and its gradient, against the plain PyTorch ways and scikit-image.

Floor: one read of both images, 8 bytes a pixel in float32; arithmetic is far above it.
Command: pytest benchmarks/bench_ssim.py --benchmark-only --benchmark-group-by=group
"""

from collections.abc import Callable

import pytest
import pytorch_msssim
import torch
from cases import BATCHES, time_checked
from pytest_benchmark.fixture import BenchmarkFixture
from skimage.metrics import structural_similarity
from torch import Tensor
from torch.nn import functional
from torchmetrics.functional.image import structural_similarity_index_measure

from mrirecon import ops
from mrirecon.ops.ssim import WindowName
from mrirecon.reference import ssim as reference

Ssim = Callable[[Tensor, Tensor, WindowName], Tensor]
CASES = {**BATCHES, "1x1x320x320": (1, 1, 320, 320), "32x1x320x320": (32, 1, 320, 320)}
WINDOWS: list[WindowName] = ["uniform", "gaussian"]


def convolve(image: Tensor, line: Tensor) -> Tensor:
    """Average in each window by two convolutions, since both windows are separable."""
    across = functional.conv2d(image, line.reshape(1, 1, 1, -1))
    return functional.conv2d(across, line.reshape(1, 1, -1, 1))


def add_slices(image: Tensor, line: Tensor) -> Tensor:
    """Average in each window by adding shifted slices, the fastest in plain PyTorch on a CPU."""
    rows, cols = (size - len(line) + 1 for size in image.shape[-2:])
    down = sum(weight * image[..., i : i + rows, :] for i, weight in enumerate(line.tolist()))
    return sum(weight * down[..., i : i + cols] for i, weight in enumerate(line.tolist()))


def five_averages(average: Callable[[Tensor, Tensor], Tensor]) -> Ssim:
    """Make SSIM as most PyTorch code has it: from the averages of x, y, x^2, y^2 and xy."""

    def measure(prediction: Tensor, target: Tensor, window: WindowName) -> Tensor:
        weights, scale = reference.window_weights(window, prediction)
        x, y = prediction.flatten(0, 1)[:, None], target.flatten(0, 1)[:, None]
        averages = average(torch.cat([x, y, x * x, y * y, x * y]), weights.sum(0))
        mean_x, mean_y, xx, yy, xy = averages.chunk(5)
        variances = scale * (xx - mean_x**2 + yy - mean_y**2)
        covariance = scale * (xy - mean_x * mean_y)
        luminance = (2 * mean_x * mean_y + 1e-4) / (mean_x**2 + mean_y**2 + 1e-4)
        similarity = luminance * (2 * covariance + 9e-4) / (variances + 9e-4)
        return similarity.mean((-2, -1)).reshape(prediction.shape[:-2])

    return measure


def ssim_of_scikit_image(prediction: Tensor, target: Tensor, window: WindowName) -> Tensor:
    options = {} if window == "uniform" else {"gaussian_weights": True, "sigma": 1.5}
    pairs = zip(prediction.flatten(0, 1).numpy(), target.flatten(0, 1).numpy(), strict=True)
    sample = window == "uniform"
    scores = [
        structural_similarity(y, x, data_range=1.0, use_sample_covariance=sample, **options)
        for x, y in pairs
    ]
    return torch.tensor(scores).reshape(prediction.shape[:-2])


def ssim_of_torchmetrics(prediction: Tensor, target: Tensor, window: WindowName) -> Tensor:
    """Score each slice; torchmetrics averages mirrored edges, so that its map is cropped."""
    del window  # its uniform one has the biased covariance, which is another number
    _, similarity = structural_similarity_index_measure(
        prediction, target, data_range=1.0, return_full_image=True
    )
    return similarity[..., 5:-5, 5:-5].mean((-2, -1))


def ssim_of_pytorch_msssim(prediction: Tensor, target: Tensor, window: WindowName) -> Tensor:
    del window  # it has the Gaussian one alone
    means = pytorch_msssim.ssim(prediction, target, data_range=1.0, size_average=False)
    return means[:, None]


WAYS: dict[str, Ssim] = {
    "mrirecon": lambda x, y, window: ops.ssim(x, y, data_range=1.0, window=window),
    "convolutions": five_averages(convolve),
    "shifted slices": five_averages(add_slices),
    "scikit-image": ssim_of_scikit_image,
    "torchmetrics": ssim_of_torchmetrics,
    "pytorch-msssim": ssim_of_pytorch_msssim,
}
GAUSSIAN_ONLY = ("torchmetrics", "pytorch-msssim")


def make(case: str) -> tuple[Tensor, Tensor]:
    """Draw a smooth image with bright and dark flat parts, and one with an error of 3 %."""
    torch.manual_seed(0)
    coarse = torch.rand(CASES[case][0], CASES[case][1], 20, 20)
    target = functional.interpolate(coarse, size=(320, 320), mode="bicubic").clamp(0, 1)
    return (target + 0.03 * torch.randn_like(target)).contiguous(), target.contiguous()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("case", CASES)
def test_ssim(benchmark: BenchmarkFixture, case: str, window: WindowName, way: str) -> None:
    if way in GAUSSIAN_ONLY and window != "gaussian":
        pytest.skip("this way has the Gaussian window alone")
    prediction, target = make(case)
    benchmark.group = f"ssim {window} {case}"
    expected = WAYS["shifted slices"](prediction.double(), target.double(), window)
    time_checked(
        benchmark,
        lambda: WAYS[way](prediction, target, window),
        expected,
        tolerance=1e-4,  # of the ways in float32 that subtract squares; ours has 1e-7
        n_bytes=8 * target.numel(),
    )


def grad_of(measure: Ssim, prediction: Tensor, target: Tensor, window: WindowName) -> Tensor:
    image = prediction.detach().requires_grad_()
    (grad,) = torch.autograd.grad(measure(image, target, window).sum(), image)
    return grad


@pytest.mark.parametrize("way", ["mrirecon", "convolutions", "shifted slices"])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("case", CASES)
def test_ssim_with_gradient(
    benchmark: BenchmarkFixture, case: str, window: WindowName, way: str
) -> None:
    prediction, target = make(case)
    benchmark.group = f"ssim with gradient {window} {case}"
    expected = grad_of(WAYS["shifted slices"], prediction.double(), target.double(), window)
    time_checked(
        benchmark,
        lambda: grad_of(WAYS[way], prediction, target, window),
        expected,
        tolerance=1e-2,  # of the float32 gradient of differences of squares; ours has 1e-7
        n_bytes=12 * target.numel(),
    )
