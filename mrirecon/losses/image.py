"""Losses between two images, as functions of tensors.

Sources: Zhao et al. 2017 (10.1109/TCI.2016.2644865) for L1, SSIM and MS-SSIM as losses; Charbonnier
et al. 1994 (10.1109/ICIP.1994.413553) for the smooth L1.
"""

import torch
from torch import Tensor
from torch.nn import functional

from mrirecon.metrics import ms_ssim
from mrirecon.ops import ssim
from mrirecon.ops.ssim import WindowName

_CHARBONNIER_EPSILON = 1e-3  # of images in [0, 1]: where the loss turns from square to straight


def l1_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Return mean |prediction - target|, a scalar.

    Args:
        prediction: float, (batch, 1, rows, cols).
        target: the same shape and dtype.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import l1_loss
        >>> target = torch.zeros(2, 1, 8, 8)
        >>> l1_loss(target + 0.5, target)
        tensor(0.5000)
    """
    return functional.l1_loss(prediction, target)


def charbonnier_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Return mean sqrt((prediction - target)^2 + 0.001^2), a scalar: L1, smooth at 0.

    Args:
        prediction: float, (batch, 1, rows, cols), in [0, 1].
        target: the same shape and dtype.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import charbonnier_loss
        >>> target = torch.zeros(2, 1, 8, 8)
        >>> charbonnier_loss(target, target).round(decimals=4)
        tensor(0.0010)
    """
    return ((prediction - target).square() + _CHARBONNIER_EPSILON**2).sqrt().mean()


def frequency_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Return mean |F prediction - F target| over k-space, a scalar; F is orthonormal.

    An error at one frequency counts whole, however its energy is spread over the image. Shifts
    change no magnitude of F, so none is executed.

    Args:
        prediction: float, (batch, 1, rows, cols).
        target: the same shape and dtype.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import frequency_loss
        >>> target = torch.zeros(1, 1, 8, 8)
        >>> frequency_loss(target + 1, target).round(decimals=4)  # of 64, one is off by 8
        tensor(0.1250)
    """
    return torch.fft.fftn(prediction - target, dim=(-2, -1), norm="ortho").abs().mean()


def ssim_loss(
    prediction: Tensor,
    target: Tensor,
    *,
    data_range: float,
    window: WindowName,
) -> Tensor:
    """Return 1 - SSIM, averaged over the batch, a scalar in [0, 2].

    Args:
        prediction: float, (batch, 1, rows, cols); 7 or 11 pixels or more each way.
        target: the same shape and dtype.
        data_range: largest minus smallest value a target may have.
        window: "gaussian" (11 x 11, as in the ReconResNet paper) or "uniform" (7 x 7).

    Examples:
        >>> import torch
        >>> from mrirecon.losses import ssim_loss
        >>> target = torch.linspace(0, 1, 1024).reshape(1, 1, 32, 32)
        >>> prediction = target.sqrt().requires_grad_()
        >>> loss = ssim_loss(prediction, target, data_range=1.0, window="gaussian")
        >>> loss.backward()
        >>> prediction.grad.shape
        torch.Size([1, 1, 32, 32])
    """
    return 1.0 - ssim(prediction, target, data_range=data_range, window=window).mean()


def ms_ssim_loss(prediction: Tensor, target: Tensor, *, data_range: float) -> Tensor:
    """Return 1 - MS-SSIM, averaged over the batch, a scalar in [0, 1].

    Args:
        prediction: float, (batch, 1, rows, cols); 176 pixels or more each way.
        target: the same shape and dtype.
        data_range: largest minus smallest value a target may have.

    Raises:
        ValueError: the images are too small for five scales.

    Examples:
        >>> import torch
        >>> from mrirecon.losses import ms_ssim_loss
        >>> target = torch.linspace(0, 1, 176 * 176).reshape(1, 1, 176, 176)
        >>> ms_ssim_loss(target, target, data_range=1.0).abs().round(decimals=4)
        tensor(0.)
    """
    return 1.0 - ms_ssim(prediction, target, data_range=data_range).mean()
