"""Structural measures against scikit-image, pytorch-msssim and their definitions."""

import numpy as np
import pytest
import pytorch_msssim
import torch
from skimage.metrics import structural_similarity

from mrirecon.metrics import ms_ssim, ssim_in_region, ssim_volume, uqi
from mrirecon.ops import ssim, ssim_map

EPS = torch.finfo(torch.float64).eps


def smooth_images(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A random image with structure of several pixels, and the same with noise."""
    rough = torch.rand(*shape, dtype=torch.float64)
    target = rough.cumsum(-1).cumsum(-2).sin().square()
    return (target + 0.1 * torch.randn_like(target)).clamp(0, 1.2), target


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
@pytest.mark.parametrize("data_range", [1.0, 2.5])
def test_ssim_of_a_volume_equals_scikit_image(window: str, data_range: float) -> None:
    prediction, target = smooth_images(12, 14, 13)
    is_gaussian = window == "gaussian"
    options = (
        {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        if is_gaussian
        else {}
    )
    expected = structural_similarity(
        target.numpy(), prediction.numpy(), data_range=data_range, **options
    )
    found = ssim_volume(prediction, target, data_range=data_range, window=window)
    assert float(found) == pytest.approx(expected, abs=1e-12)


def test_each_volume_of_a_batch_has_its_range() -> None:
    prediction, target = smooth_images(2, 3, 11, 12, 11)
    ranges = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=torch.float64)
    found = ssim_volume(prediction, target, data_range=ranges, window="uniform")
    one = ssim_volume(prediction[1, 2], target[1, 2], data_range=6.0, window="uniform")
    assert float(found[1, 2]) == pytest.approx(float(one), rel=100 * EPS)


def test_float32_loses_little_where_the_image_is_bright() -> None:
    """Means are moved away first; without that, 1000 would leave 1e-7 * 1e6 / C2 of error."""
    prediction, target = (image + 1000 for image in smooth_images(9, 10, 10))
    exact = ssim_volume(prediction, target, data_range=1.0, window="uniform")
    single = ssim_volume(prediction.float(), target.float(), data_range=1.0, window="uniform")
    # A pixel near 1000 is rounded by 3e-5, which moves a deviation of 0.3 by 1e-4 of itself.
    assert float(single) == pytest.approx(float(exact), abs=1e-3)


def test_ms_ssim_equals_pytorch_msssim() -> None:
    """Sizes are multiples of 16, since it pads odd ones with zeros."""
    prediction, target = smooth_images(3, 1, 176, 208)
    expected = pytorch_msssim.ms_ssim(prediction, target, data_range=1.3, size_average=False)
    found = ms_ssim(prediction, target, data_range=1.3)[:, 0]
    # Its window is rounded to float32 before use.
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-6)


def test_ms_ssim_takes_a_range_for_each_image() -> None:
    prediction, target = smooth_images(2, 1, 176, 176)
    ranges = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    found = ms_ssim(prediction, target, data_range=ranges)
    assert found.shape == (2, 1)
    alone = ms_ssim(prediction[1, 0], target[1, 0], data_range=2.0)
    assert float(found[1, 0]) == pytest.approx(float(alone), rel=100 * EPS)
    assert float(ms_ssim(target[0], target[0], data_range=1.0)) == pytest.approx(1.0)


def test_ms_ssim_has_the_gradient_of_finite_differences() -> None:
    prediction, target = smooth_images(1, 1, 176, 176)
    direction = torch.randn_like(prediction)
    prediction.requires_grad_()
    (grad,) = torch.autograd.grad(ms_ssim(prediction, target, data_range=1.0).sum(), prediction)
    step = 1e-6
    with torch.no_grad():
        ends = [
            ms_ssim(prediction + sign * step * direction, target, data_range=1.0).sum()
            for sign in (1, -1)
        ]
    # Central differences: step^2 of truncation and eps / step of rounding.
    expected = float(ends[0] - ends[1]) / (2 * step)
    assert float((grad * direction).sum()) == pytest.approx(expected, rel=1e-6)


def test_uqi_follows_its_definition_window_by_window() -> None:
    prediction, target = smooth_images(11, 10)
    values = []
    for row in range(4):
        for col in range(3):
            x, y = (image[row : row + 8, col : col + 8].numpy() for image in (prediction, target))
            covariance = np.cov(x.ravel(), y.ravel())
            values.append(
                4
                * covariance[0, 1]
                * x.mean()
                * y.mean()
                / ((covariance[0, 0] + covariance[1, 1]) * (x.mean() ** 2 + y.mean() ** 2))
            )
    assert float(uqi(prediction, target)) == pytest.approx(np.mean(values), rel=1e-10)


def test_uqi_of_flat_images_compares_their_means() -> None:
    flat = torch.full((9, 9), 0.3)
    assert float(uqi(2 * flat, flat)) == pytest.approx(2 * 2 / (4 + 1))
    assert float(uqi(0 * flat, 0 * flat)) == 1.0
    assert float(uqi(flat, flat)) == pytest.approx(1.0)


def test_ssim_in_a_region_averages_the_map_there() -> None:
    prediction, target = smooth_images(3, 20, 17)
    region = torch.zeros(20, 17, dtype=torch.bool)
    region[4:9, 5:8] = True
    region[0, 0] = True  # no window is centred so near the edge
    found = ssim_in_region(prediction, target, region, data_range=1.0, window="uniform")
    similarity = ssim_map(prediction, target, data_range=1.0, window="uniform")
    expected = similarity[:, 1:6, 2:5].mean((-2, -1))  # a window's centre is 3 further in
    assert found.tolist() == pytest.approx(expected.tolist(), rel=100 * EPS)
    everywhere = torch.ones(20, 17, dtype=torch.bool)
    whole = ssim_in_region(prediction, target, everywhere, data_range=1.0, window="gaussian")
    mean = ssim(prediction, target, data_range=1.0, window="gaussian")
    assert whole.tolist() == pytest.approx(mean.tolist(), rel=1e-12)


def test_images_too_small_are_refused_by_size() -> None:
    small = torch.rand(5, 6, 5)
    with pytest.raises(ValueError, match=r"prediction: expected 7 or more along 3 axes, got \(5"):
        ssim_volume(small, small, data_range=1.0, window="uniform")
    with pytest.raises(ValueError, match=r"prediction: expected 176 or more along 2 axes"):
        ms_ssim(small, small, data_range=1.0)
    with pytest.raises(ValueError, match=r"prediction: expected 8 or more along 2 axes, got \(6, "):
        uqi(small, small)
    with pytest.raises(ValueError, match=r"prediction: expected the target's shape"):
        uqi(torch.rand(8, 8), torch.rand(9, 8))
