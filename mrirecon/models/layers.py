"""Small parts that several networks share: complex images as channels, sizes, and the norm."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


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


def norm_and_activation(channels: int) -> tuple[nn.Module, nn.Module]:
    """Return an instance norm without parameters and a PReLU with one."""
    return nn.InstanceNorm2d(channels), nn.PReLU()


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
