"""Small parts that several networks share: complex images as channels, sizes, and the norm.

Sources: Ulyanov et al. 2016 (arXiv 1607.08022) for instance norm; He et al. 2015
(10.1109/ICCV.2015.123) for PReLU.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrirecon.ops import instance_norm


def to_channels(image: Tensor) -> Tensor:
    """Lay real and imaginary part side by side, as a network's edge needs them.

    Args:
        image: complex, (batch, 1, rows, cols).

    Returns:
        Real, (batch, 2, rows, cols).
    """
    return torch.cat([image.real, image.imag], dim=1)


def to_complex(channels: Tensor) -> Tensor:
    """Join real and imaginary part: inverse of `to_channels`.

    Args:
        channels: float32 or float64, (batch, 2, rows, cols).

    Returns:
        Complex, (batch, 1, rows, cols).
    """
    real, imaginary = channels.split(1, dim=1)
    return torch.complex(real, imaginary)


def in_multiples(network: Callable[[Tensor], Tensor], image: Tensor, factor: int) -> Tensor:
    """Apply a network that needs sizes in multiples of `factor`, padded by reflection and cropped.

    Args:
        network: takes and returns images whose sizes are multiples of `factor`.
        image: (batch, channels, rows, cols); rows and cols more than `factor`.
        factor: 1 or more.

    Returns:
        (batch, channels of the network's output, rows, cols).

    Raises:
        ValueError: too few axes, rows or columns.
    """
    if image.ndim != 4 or min(image.shape[-2:]) <= factor:
        raise ValueError(
            f"image: expected (batch, channels, rows, cols) with rows and cols {factor + 1} or "
            f"more, got {tuple(image.shape)}"
        )
    rows, cols = image.shape[-2:]
    padding = (0, -cols % factor, 0, -rows % factor)
    return network(functional.pad(image, padding, mode="reflect"))[..., :rows, :cols]


class NormActivation(nn.Module):
    """Instance norm without parameters, then a PReLU with one slope or a ReLU, in one operator.

    Args:
        learns_slope: PReLU; without it ReLU.
        dropout: probability that a channel is dropped in training.
        pad: pixels of border of the output, reflected, for the convolution that follows.
    """

    slope: Tensor

    def __init__(self, *, learns_slope: bool = True, dropout: float = 0.0, pad: int = 0) -> None:
        super().__init__()
        if learns_slope:
            self.slope = nn.Parameter(torch.full((1,), 0.25))  # torch's own start of a PReLU
        else:
            self.register_buffer("slope", torch.zeros(1), persistent=False)
        self.dropout = dropout
        self.pad = pad

    def forward(self, features: Tensor) -> Tensor:
        """Return (batch, channels, rows + 2 pad, cols + 2 pad) of (batch, channels, rows, cols)."""
        dropout = self.dropout if self.training else 0.0
        return norm_and_activation(features, self.slope, dropout=dropout, pad=self.pad)


def norm_and_activation(features: Tensor, slope: Tensor, *, dropout: float, pad: int) -> Tensor:
    """Normalise, activate with a slope below 0, drop channels, and pad by reflection.

    Args:
        features: float, (batch, channels, rows, cols).
        slope: (1,).
        dropout: probability that a channel is dropped, now.
        pad: pixels of border.

    Returns:
        (batch, channels, rows + 2 pad, cols + 2 pad).
    """
    keep = None
    if dropout > 0:
        keep = functional.dropout(slope.new_ones(features.shape[:2]).detach(), dropout)
    return instance_norm(features, slope=slope, keep=keep, pad=pad)


def reflect(image: Tensor, border: int) -> Tensor:
    """Pad rows and columns by reflection, in the dtype given also under autocast.

    Autocast on the CPU would run it in float32, at the cost of a copy there and one back.
    """
    with torch.autocast(image.device.type, enabled=False):
        return functional.pad(image, (border,) * 4, mode="reflect")


def ordered_like(tensor: Tensor, weight: Tensor) -> Tensor:
    """Give a tensor the memory order of a convolution's weight: contiguous or channels-last.

    One channel has the same numbers in both orders, and torch decides by the strides; convolutions
    are faster on channels-last tensors, and return such.

    Args:
        tensor: (batch, channels, rows, cols).
        weight: (outputs, channels, kernel rows, kernel cols), of more than one channel.
    """
    if weight.is_contiguous() or not weight.is_contiguous(memory_format=torch.channels_last):
        return tensor
    rows, cols = tensor.shape[-2:]
    if tensor.shape[1] > 1:
        return tensor.contiguous(memory_format=torch.channels_last)
    return tensor.contiguous().as_strided(tensor.shape, (rows * cols, 1, cols, 1))


def ordered_for(network: nn.Module, image: Tensor) -> Tensor:
    """Give an image the memory order of a network's weights, as `ordered_like`."""
    weights = (p for p in network.parameters() if p.dim() == 4 and p.shape[1] > 1)
    weight = next(weights, None)
    return image if weight is None else ordered_like(image, weight)


def require_channels(image: Tensor, n_channels: int) -> None:
    """Raise ValueError unless an image is (batch, n_channels, rows, cols)."""
    if image.ndim != 4 or image.shape[1] != n_channels:
        raise ValueError(
            f"image: expected (batch, {n_channels}, rows, cols), got {tuple(image.shape)}"
        )


def require_at_least(name: str, value: int, lowest: int) -> None:
    """Raise ValueError with an option's name unless its value is `lowest` or more."""
    if value < lowest:
        raise ValueError(f"{name}: expected at least {lowest}, got {value}")


def set_to_zero(layer: nn.Module) -> None:
    """Set weights and biases to zero: what an untrained network adds with it is nothing."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
