"""Image losses against hand-worked values, and the direction in which each one pushes."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mrirecon.losses import (
    charbonnier_loss,
    frequency_loss,
    l1_loss,
    ms_ssim_loss,
    ssim_loss,
)
from mrirecon.metrics import ms_ssim
from mrirecon.reference.ssim import ssim as reference_ssim

LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": l1_loss,
    "charbonnier": charbonnier_loss,
    "frequency": frequency_loss,
    "ssim": lambda x, y: ssim_loss(x, y, data_range=1.0, window="gaussian"),
    "ms_ssim": lambda x, y: ms_ssim_loss(x, y, data_range=1.0),
}


def images() -> tuple[Tensor, Tensor]:
    target = torch.rand(1, 1, 176, 176, dtype=torch.float64)
    return (0.7 * target + 0.3 * torch.rand_like(target)), target


def test_l1_is_the_mean_absolute_difference() -> None:
    assert l1_loss(torch.tensor([0.0, 0.5]), torch.tensor([0.25, 0.0])) == 0.375


def test_charbonnier_is_l1_far_from_zero_and_smooth_at_it() -> None:
    errors = torch.tensor([0.0, 0.5], dtype=torch.float64, requires_grad=True)
    loss = charbonnier_loss(errors, torch.zeros_like(errors))
    loss.backward()
    expected = 0.5 * (1e-3 + (0.25 + 1e-6) ** 0.5)
    torch.testing.assert_close(loss.detach(), torch.tensor(expected, dtype=torch.float64))
    assert errors.grad is not None
    assert errors.grad[0] == 0
    assert errors.grad[1] == pytest.approx(0.5, rel=1e-5)  # 1 - (0.001 / 0.5)^2 / 2, of two


def test_frequency_loss_counts_one_wrong_frequency_once() -> None:
    """A wave of amplitude 2 a has two samples of a sqrt(pixels) in an orthonormal k-space."""
    rows, cols, amplitude = 8, 16, 0.25
    wave = 2 * amplitude * torch.cos(2 * torch.pi * 3 * torch.arange(cols) / cols)
    image = wave.expand(1, 1, rows, cols)
    expected = 2 * amplitude * (rows * cols) ** 0.5 / (rows * cols)
    loss = frequency_loss(image, torch.zeros_like(image))
    torch.testing.assert_close(loss, torch.tensor(expected), rtol=1e-5, atol=0)


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_ssim_loss_is_one_minus_the_reference(window: str) -> None:
    prediction, target = torch.rand(2, 3, 1, 20, 24, dtype=torch.float64)
    expected = 1 - reference_ssim(prediction, target, data_range=1.0, window=window).mean()
    loss = ssim_loss(prediction, target, data_range=1.0, window=window)  # type: ignore[arg-type]
    torch.testing.assert_close(loss, expected)


def test_ms_ssim_loss_is_one_minus_the_metric() -> None:
    prediction, target = images()
    expected = 1 - ms_ssim(prediction, target, data_range=1.0).mean()
    torch.testing.assert_close(ms_ssim_loss(prediction, target, data_range=1.0), expected)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_a_loss_falls_along_its_gradient(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    prediction, target = images()
    prediction.requires_grad_()
    before = loss(prediction, target)
    (gradient,) = torch.autograd.grad(before, prediction)
    assert loss(prediction - 1e-4 * gradient / gradient.abs().max(), target) < before


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_equal_images_have_the_least_loss(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    prediction, target = images()
    assert loss(target, target) <= 1e-3 + 1e-12  # the Charbonnier loss has its epsilon there
    assert loss(target, target) < 0.1 * loss(prediction, target)


def test_ms_ssim_loss_of_opposite_contrast_has_a_finite_gradient() -> None:
    """The power of a mean below 0 counts as 0, where its slope is infinite."""
    _, target = images()
    prediction = (1 - target).requires_grad_()
    loss = ms_ssim_loss(prediction, target, data_range=1.0)
    loss.backward()
    assert loss == 1
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
