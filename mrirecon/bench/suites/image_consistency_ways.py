"""Data consistency of images as plain PyTorch, NumPy, SciPy, cupy and fastMRI compute it.

"Shifts folded" is the best that was found with library transforms: no shift is executed, only the
axes of the mask are transformed, and the measured samples are handed over in that plain k-space.
"Centred" is the common way. Both choose measured samples; this package weighs differences, to the
same result.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mrirecon import ops
from mrirecon.bench.case import Way
from mrirecon.bench.suites.operands import (
    by_cupy,
    compiled,
    in_double,
    random_complex,
    with_gradients,
)
from mrirecon.fourier import enforce_image_consistency, fft_centred, ifft_centred
from mrirecon.ops.round_trip import masked_dims, unit_weights

Join = Callable[[Tensor], Tensor]  # of an image with what was measured
Transform = Callable[..., Any]
MEASURED = 0.25  # of the samples


@dataclass(frozen=True)
class Operands:
    """An image, and what was measured of another one.

    Attributes:
        image: (batch, 1, rows, cols).
        maps: (1, coils, rows, cols); None for one coil that sees all alike.
        mask: bool, (cols,) or (rows, cols), centred.
        kspace: (batch, coils, rows, cols), masked, centred.
        zero_filled: (batch, 1, rows, cols), of all coils.
        measured: (batch, coils, rows, cols), plain transform of the coils' zero-filled images
            along `dims`.
    """

    image: Tensor
    maps: Tensor | None
    mask: Tensor
    kspace: Tensor
    zero_filled: Tensor
    measured: Tensor

    @property
    def dims(self) -> tuple[int, ...]:
        """Axes along which the mask varies."""
        return masked_dims(self.mask)

    @property
    def plain_mask(self) -> Tensor:
        """Where the plain transform along `dims` has what is measured."""
        return torch.fft.ifftshift(self.mask, dim=self.dims)

    def in_double(self) -> "Operands":
        """Return the same in complex128."""
        maps = None if self.maps is None else in_double(self.maps)
        return operands_of(in_double(self.image), maps, self.mask, in_double(self.kspace))

    def seen(self, image: Tensor) -> Tensor:
        """What each coil sees of an image."""
        return image if self.maps is None else self.maps * image

    def combined(self, coil_images: Tensor) -> Tensor:
        """One image of all coils'."""
        if self.maps is None:
            return coil_images
        return (self.maps.conj() * coil_images).sum(1, keepdim=True)


def draw_operands(size: tuple[int, ...], device: torch.device, *, is_lines: bool) -> Operands:
    """Draw two images of noise, one of them measured at a quarter of all places."""
    batch, coils, *plane = size
    maps = None
    if coils > 1:
        maps = random_complex((1, coils, *plane), device, seed=2)
        maps = maps / torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    generator = torch.Generator().manual_seed(3)
    shape = plane[-1:] if is_lines else plane
    mask = (torch.rand(shape, generator=generator) < MEASURED).to(device)
    image, other = (random_complex((batch, 1, *plane), device, seed=i) for i in range(2))
    kspace = fft_centred(other if maps is None else maps * other) * mask
    return operands_of(image, maps, mask, kspace)


def operands_of(image: Tensor, maps: Tensor | None, mask: Tensor, kspace: Tensor) -> Operands:
    """Derive from measured k-space what the ways are handed."""
    coil_images = ifft_centred(kspace)
    zero_filled = coil_images
    if maps is not None:
        zero_filled = (maps.conj() * coil_images).sum(1, keepdim=True)
    measured = torch.fft.fftn(coil_images, dim=masked_dims(mask))
    return Operands(image, maps, mask, kspace, zero_filled, measured)


def forward_ways(operands: Operands, threads: int) -> dict[str, Callable[[], Way]]:
    """Return what plans each way."""
    joins, image = _joins(operands), operands.image
    ways: dict[str, Callable[[], Way]] = {
        name: partial(_way, make, image) for name, make in joins.items()
    }
    ways["NumPy: centred"] = partial(_by_numpy, operands)
    ways["SciPy: shifts folded"] = partial(_by_scipy, operands, threads)
    ways["cupy: shifts folded"] = partial(_by_cupy, operands)
    return ways


def backward_ways(operands: Operands) -> dict[str, Callable[[], Way]]:
    """Return what plans each way with the gradient to the image, as in a network."""
    image = operands.image
    grad_out = random_complex(tuple(image.shape), image.device, seed=4).to(image.dtype)
    joins = _joins(operands)
    return {name: partial(_way, make, image, grad_out) for name, make in joins.items()}


def _way(make: Callable[[], Join], image: Tensor, grad_out: Tensor | None = None) -> Way:
    join = make()
    if grad_out is None:
        return Way(partial(join, image))
    return with_gradients(join, (image,), grad_out)


def _joins(operands: Operands) -> dict[str, Callable[[], Join]]:
    folded = partial(_folded, operands, operands.plain_mask)
    return {
        "mrirecon": lambda: partial(_in_one_pass, operands),
        "PyTorch: shifts folded": lambda: folded,
        "PyTorch: centred": lambda: partial(_centred, operands),
        "torch.compile: shifts folded": lambda: compiled(folded),
        "fastMRI's formulas": lambda: _by_fastmri(operands),
    }


def _in_one_pass(operands: Operands, image: Tensor) -> Tensor:
    if operands.maps is None:
        return enforce_image_consistency(image, operands.zero_filled, operands.mask)
    weights = unit_weights(image, of_measured=False)
    return operands.zero_filled + ops.weigh_kspace(
        image, operands.mask, weights, coil_maps=operands.maps
    )


def _folded(operands: Operands, plain_mask: Tensor, image: Tensor) -> Tensor:
    spectrum = torch.fft.fftn(operands.seen(image), dim=operands.dims)
    joined = torch.where(plain_mask, operands.measured, spectrum)
    return operands.combined(torch.fft.ifftn(joined, dim=operands.dims))


def _centred(operands: Operands, image: Tensor) -> Tensor:
    joined = torch.where(operands.mask, operands.kspace, fft_centred(operands.seen(image)))
    return operands.combined(ifft_centred(joined))


def _by_fastmri(operands: Operands) -> Join:
    """Compute as fastMRI does: numbers are pairs, a trailing axis of two, and shifts are rolls.

    Source: Zbontar et al. 2018 (arXiv 1811.08839), whose package has these transforms.
    """
    kspace, mask = torch.view_as_real(operands.kspace), operands.mask[..., None]
    maps = None if operands.maps is None else torch.view_as_real(operands.maps)

    def join(image: Tensor) -> Tensor:
        pairs = torch.view_as_real(image)
        seen = pairs if maps is None else _product(pairs, maps)
        joined = torch.where(mask, kspace, _centred_pairs(torch.fft.fftn, seen))
        coil_images = _centred_pairs(torch.fft.ifftn, joined)
        if maps is not None:
            conjugate = torch.stack([maps[..., 0], -maps[..., 1]], dim=-1)
            coil_images = _product(coil_images, conjugate).sum(1, keepdim=True)
        return torch.view_as_complex(coil_images)

    return join


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Multiply pairs of real and imaginary parts."""
    real = a[..., 0] * b[..., 0] - a[..., 1] * b[..., 1]
    imaginary = a[..., 0] * b[..., 1] + a[..., 1] * b[..., 0]
    return torch.stack([real, imaginary], dim=-1)


def _centred_pairs(transform: Callable[..., Tensor], pairs: Tensor) -> Tensor:
    dims, (rows, cols) = (-3, -2), pairs.shape[-3:-1]
    moved = torch.roll(pairs, ((rows + 1) // 2, (cols + 1) // 2), dims)
    done = transform(torch.view_as_complex(moved), dim=(-2, -1), norm="ortho")
    return torch.roll(torch.view_as_real(done), (rows // 2, cols // 2), dims)


def _by_numpy(operands: Operands) -> Way:
    fft: Any = importlib.import_module("numpy.fft")

    def centred(transform: Transform, array: Any) -> Any:
        shifted = fft.ifftshift(array, axes=(-2, -1))
        done = transform(shifted, axes=(-2, -1), norm="ortho")
        return fft.fftshift(done, axes=(-2, -1))

    pair = partial(centred, fft.fft2), partial(centred, fft.ifft2)
    arrays = _arrays(operands, operands.mask, operands.kspace)
    return Way(lambda: _join_arrays(pair, np, *arrays))


def _by_scipy(operands: Operands, threads: int) -> Way:
    fft: Any = importlib.import_module("scipy.fft")
    options = {"axes": operands.dims, "workers": threads}
    pair = partial(fft.fftn, **options), partial(fft.ifftn, **options)
    arrays = _arrays(operands, operands.plain_mask, operands.measured)
    return Way(lambda: _join_arrays(pair, np, *arrays))


def _by_cupy(operands: Operands) -> Way:
    fft: Any = importlib.import_module("cupy.fft")
    pair = tuple(partial(f, axes=operands.dims) for f in (fft.fftn, fft.ifftn))
    tensors = _used(operands, operands.plain_mask, operands.measured)
    return Way(by_cupy(partial(_join_arrays, pair), *tensors))


def _used(operands: Operands, mask: Tensor, measured: Tensor) -> list[Tensor]:
    maps = [] if operands.maps is None else [operands.maps]
    return [operands.image, mask, measured, *maps]


def _arrays(operands: Operands, mask: Tensor, measured: Tensor) -> list[Any]:
    return [x.numpy() for x in _used(operands, mask, measured)]


def _join_arrays(transforms: tuple[Transform, ...], xp: Any, *operands: Any) -> Any:
    """Join by a pair of transforms, there and back, of a package `xp` like NumPy."""
    there, back = transforms
    image, mask, measured, *rest = operands
    maps = rest[0] if rest else None
    spectrum = there(image if maps is None else maps * image)
    coil_images = back(xp.where(mask != 0, measured, spectrum))
    return coil_images if maps is None else (maps.conj() * coil_images).sum(1, keepdims=True)
