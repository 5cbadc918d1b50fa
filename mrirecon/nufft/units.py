"""Coordinates of k-space in the units of other packages, to and from those of `Nufft`.

Here a coordinate is in cycles per field of view, in [-n / 2, n / 2], `(..., samples, ndim)`, in
the image's order of axes. All functions are differentiable, and none guesses a unit: a value out
of the range of its unit is an error.
"""

import math

import torch
from torch import Tensor


def from_torchkbnufft(omega: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Convert from radians per pixel in [-pi, pi], (..., ndim, samples).

    Raises:
        ValueError: omega of another number of axes, or out of range.

    Examples:
        >>> import math
        >>> import torch
        >>> from mrirecon.nufft import units
        >>> omega = torch.tensor([[math.pi], [-math.pi / 2]])  # (2, samples), [radians per pixel]
        >>> units.from_torchkbnufft(omega, (64, 64))
        tensor([[ 32., -16.]])
    """
    moved = omega.transpose(-1, -2)
    return _scaled(moved, image_shape, [n / (2 * math.pi) for n in image_shape], _RADIANS)


def to_torchkbnufft(coords: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Convert to radians per pixel, (..., ndim, samples).

    Raises:
        ValueError: coords of another number of axes, or out of range.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import units
        >>> units.to_torchkbnufft(torch.tensor([[32.0, -16.0]]), (64, 64))
        tensor([[ 3.1416],
                [-1.5708]])
    """
    return _unscaled(coords, image_shape, [2 * math.pi / n for n in image_shape]).transpose(-1, -2)


def from_sigpy(coord: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Check SigPy's coordinates, (..., ndim), which have the unit and the order of ours.

    Raises:
        ValueError: coord of another number of axes, or out of range.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import units
        >>> units.from_sigpy(torch.tensor([[32.0, -16.0]]), (64, 64))
        tensor([[ 32., -16.]])
    """
    return _scaled(coord, image_shape, [1.0] * len(image_shape), _CYCLES)


def to_sigpy(coords: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Check coordinates for SigPy, which has the unit and the order of ours.

    Raises:
        ValueError: coords of another number of axes, or out of range.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import units
        >>> units.to_sigpy(torch.tensor([[32.0, -16.0]]), (64, 64))
        tensor([[ 32., -16.]])
    """
    return _unscaled(coords, image_shape, [1.0] * len(image_shape))


def from_mri_nufft(samples: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Convert from cycles per pixel in [-0.5, 0.5], (..., ndim), in the image's order of axes.

    Raises:
        ValueError: samples of another number of axes, or out of range.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import units
        >>> units.from_mri_nufft(torch.tensor([[0.5, -0.25]]), (64, 64))
        tensor([[ 32., -16.]])
    """
    return _scaled(samples, image_shape, [float(n) for n in image_shape], "cycles per pixel")


def to_mri_nufft(coords: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Convert to cycles per pixel, (..., ndim), in the image's order of axes.

    Raises:
        ValueError: coords of another number of axes, or out of range.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import units
        >>> units.to_mri_nufft(torch.tensor([[32.0, -16.0]]), (64, 64))
        tensor([[ 0.5000, -0.2500]])
    """
    return _unscaled(coords, image_shape, [1 / n for n in image_shape])


def from_bart(trajectory: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Convert from BART's trajectories: x, y and z in units of 1 / field of view.

    The order is reversed: x runs along the last axis of an image, z along the first.

    Args:
        trajectory: real, (..., 3); BART's first dimension goes last.
        image_shape: sizes of the image; for 1 or 2 of them y or z must be zero.

    Returns:
        real, (..., ndim).

    Raises:
        ValueError: trajectory without three columns, not zero where the image has no axis, or out
            of range.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import units
        >>> units.from_bart(torch.tensor([[10.0, -20.0, 0.0]]), (64, 64))  # x, y, z to (row, col)
        tensor([[-20.,  10.]])
    """
    ndim = len(image_shape)
    if trajectory.shape[-1] != 3:
        raise ValueError(f"trajectory: expected (..., 3), got {tuple(trajectory.shape)}")
    if bool((trajectory[..., ndim:] != 0).any()):
        raise ValueError(
            f"trajectory: expected zeros in column {'xyz'[ndim:]} for an image {image_shape}"
        )
    moved = trajectory[..., :ndim].flip(-1)
    return _scaled(moved, image_shape, [1.0] * ndim, "1 / field of view", name="trajectory")


def to_bart(coords: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Convert to BART's three columns x, y, z in units of 1 / field of view, (..., 3).

    Raises:
        ValueError: coords of another number of axes, or out of range.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import units
        >>> units.to_bart(torch.tensor([[-20.0, 10.0]]), (64, 64))  # (row, col) to x, y, z
        tensor([[ 10., -20.,   0.]])
    """
    moved = _unscaled(coords, image_shape, [1.0] * len(image_shape)).flip(-1)
    return torch.nn.functional.pad(moved, (0, 3 - moved.shape[-1]))


def from_per_metre(
    wavenumber: Tensor, image_shape: tuple[int, ...], field_of_view: tuple[float, ...]
) -> Tensor:
    """Convert from cycles per metre.

    Args:
        wavenumber: real, (..., ndim), [1/m], in the image's order of axes.
        image_shape: sizes of the image.
        field_of_view: extent of the image along each axis, [m].

    Returns:
        real, (..., ndim).

    Raises:
        ValueError: wavenumber of another number of axes, or out of range.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import units
        >>> units.from_per_metre(torch.tensor([[100.0, -50.0]]), (64, 64), (0.256, 0.256))
        tensor([[ 25.6000, -12.8000]])
    """
    _require_extents(field_of_view, image_shape)
    return _scaled(wavenumber, image_shape, list(field_of_view), "1/m", name="wavenumber")


def to_per_metre(
    coords: Tensor, image_shape: tuple[int, ...], field_of_view: tuple[float, ...]
) -> Tensor:
    """Convert to cycles per metre, (..., ndim), [1/m].

    Raises:
        ValueError: coords of another number of axes, or out of range.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import units
        >>> units.to_per_metre(torch.tensor([[25.6, -12.8]]), (64, 64), (0.256, 0.256))
        tensor([[100., -50.]])
    """
    _require_extents(field_of_view, image_shape)
    return _unscaled(coords, image_shape, [1 / extent for extent in field_of_view])


_RADIANS, _CYCLES = "radians per pixel", "cycles per field of view"
_NAMES = {_RADIANS: "omega", _CYCLES: "coord", "cycles per pixel": "samples"}


def _scaled(
    values: Tensor, shape: tuple[int, ...], factors: list[float], unit: str, name: str = ""
) -> Tensor:
    """Multiply each axis with its factor, and check what comes out.

    A value at the border may leave it by rounding, and is put back.
    """
    name = name or _NAMES[unit]
    _require_axes(name, values, shape)
    scale = torch.tensor(factors, dtype=torch.float64, device=values.device)
    half = torch.tensor(shape, dtype=torch.float64, device=values.device) / 2
    coords = values.double() * scale
    _require_range(name, coords, half, scale, unit, eps=torch.finfo(values.dtype).eps)
    return torch.minimum(torch.maximum(coords, -half), half).to(values.dtype)


def _unscaled(coords: Tensor, shape: tuple[int, ...], factors: list[float]) -> Tensor:
    checked = _scaled(coords, shape, [1.0] * len(shape), _CYCLES, name="coords").double()
    return (checked * torch.tensor(factors, dtype=torch.float64, device=coords.device)).to(coords)


def _require_axes(name: str, values: Tensor, shape: tuple[int, ...]) -> None:
    if not values.dtype.is_floating_point:
        raise ValueError(f"{name}: expected float32 or float64, got {values.dtype}")
    if values.ndim < 1 or values.shape[-1] != len(shape):
        raise ValueError(
            f"{name}: expected {len(shape)} axes, as the image {shape}, got {values.shape[-1:]}"
        )


def _require_range(
    name: str, coords: Tensor, half: Tensor, scale: Tensor, unit: str, *, eps: float
) -> None:
    outside = ~(coords.detach().abs() <= half * (1 + 4 * eps))
    if bool(outside.any()):
        axis = int(outside.nonzero()[0, -1])
        worst, limit = coords.detach()[..., axis][outside[..., axis]][0], half[axis]
        raise ValueError(
            f"{name}: expected values in [{float(-limit / scale[axis]):g}, "
            f"{float(limit / scale[axis]):g}] {unit} along axis {axis}, "
            f"got {float(worst / scale[axis]):g}"
        )


def _require_extents(field_of_view: tuple[float, ...], shape: tuple[int, ...]) -> None:
    if len(field_of_view) != len(shape) or any(extent <= 0 for extent in field_of_view):
        raise ValueError(
            f"field_of_view: expected {len(shape)} positive extents in m, got {field_of_view}"
        )
