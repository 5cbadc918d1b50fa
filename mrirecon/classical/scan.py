"""Reconstruct measured k-space as it comes from a file: whiten, find coil maps, solve, crop.

Source: coil maps by ESPIRiT, Uecker et al. 2014 (DOI 10.1002/mrm.24751).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mrirecon.classical.coil_maps import espirit_maps
from mrirecon.classical.coils import prewhiten, root_sum_of_squares
from mrirecon.classical.encoding import Encoding
from mrirecon.classical.methods import MethodConfig, ZeroFilledConfig, reconstruct
from mrirecon.data.kspace_file import KspaceFile
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.nufft import Nufft, density_compensation
from mrirecon.ops import apply_mask
from mrirecon.ops.round_trip import masked_dims
from mrirecon.sampling.summary import sampled_centre

CALIBRATION = 24
"""Largest side of the fully measured centre that coil maps are estimated from [samples]."""
LEAST_CALIBRATION = 8  # patches of 6 x 6 samples then have 9 places
_SLICES_AT_ONCE = 4


@dataclass(frozen=True)
class ScanPart:
    """Some slices of a scan.

    Attributes:
        kspace: complex64, (slices, coils, rows, cols), or (slices, coils, samples).
        sampled: their mask, or the transform to their samples, with density.
        coil_maps: complex64, (slices, coils, rows, cols); None for one coil.
    """

    kspace: Tensor
    sampled: Tensor | Nufft
    coil_maps: Tensor | None

    @property
    def encoding(self) -> Encoding:
        """What was measured of the image."""
        return Encoding(self.sampled, self.coil_maps)


def reconstruct_scan(measured: KspaceFile, method: MethodConfig, device: torch.device) -> Tensor:
    """Reconstruct all slices of measured k-space by a method of `reconstruct`.

    Without an iteration several coils are combined by the root of their sum of squares, and need
    no maps.

    Args:
        measured: k-space of one volume, as `read_kspace` gives it.
        method: the configuration of a method.
        device: where to compute.

    Returns:
        Magnitude, float32, (slices, rows, cols) of `measured.image_shape`, in the units of
        k-space, on the CPU.

    Raises:
        ValueError: the trajectory is 3-D, or the centre of k-space is too small for coil maps.
    """
    images = []
    if isinstance(method, ZeroFilledConfig):
        for part in split_scan(measured, device, with_maps=False):
            images.append(root_sum_of_squares(_transform_back(part.kspace, part.sampled)))
    else:
        for part in split_scan(measured, device):
            images.append(reconstruct(method, part.kspace, part.sampled, part.coil_maps).abs())
    return crop_images(torch.cat([image[:, 0].cpu() for image in images]), measured.image_shape)


def split_scan(
    measured: KspaceFile, device: torch.device, *, with_maps: bool = True
) -> Iterator[ScanPart]:
    """Give a scan a few slices at a time, with white noise and coil maps.

    Args:
        measured: k-space of one volume.
        device: where the tensors go.
        with_maps: estimate coil maps, if there are several coils.

    Yields:
        Parts in the order of the slices.

    Raises:
        ValueError: as in `reconstruct_scan`.
    """
    if len(measured.grid_shape) != 2:
        raise ValueError(f"coords: expected a 2-D trajectory, got {len(measured.grid_shape)}-D")
    shape = measured.grid_shape[0], measured.grid_shape[1]
    sampled = None
    for first in range(0, len(measured.kspace), _SLICES_AT_ONCE):
        slices = slice(first, first + _SLICES_AT_ONCE)
        kspace = measured.kspace[slices].to(device)
        if measured.noise is not None:
            kspace = prewhiten(kspace, measured.noise.to(device))
        if sampled is None or _differs_by_slice(measured):
            sampled = _find_sampled(measured, slices, shape, device)
        needs_maps = with_maps and kspace.shape[1] > 1
        yield ScanPart(kspace, sampled, estimate_maps(kspace, sampled) if needs_maps else None)


def estimate_maps(kspace: Tensor, sampled: Tensor | Nufft) -> Tensor:
    """Estimate coil maps from the centre of k-space (`espirit_maps`), nowhere cropped.

    Off the grid the centre is that of the gridded image, which trajectories measure densely.

    Args:
        kspace: complex, (batch, coils, rows, cols), or (batch, coils, samples).
        sampled: mask, or transform with density.

    Returns:
        Maps, complex, (batch, coils, rows, cols).

    Raises:
        ValueError: the fully measured centre is smaller than `LEAST_CALIBRATION`.
    """
    if isinstance(sampled, Nufft):
        spectrum = fft_centred(sampled.grid(kspace))
        side = min(CALIBRATION, *spectrum.shape[-2:])
        return espirit_maps(spectrum, calibration=side, crop=0.0)
    every = sampled.all(0) if sampled.ndim == 3 else sampled
    extent = sampled_centre(every.cpu())
    sizes = [
        min(CALIBRATION, extent if dim in masked_dims(every) else CALIBRATION, kspace.shape[dim])
        for dim in (-2, -1)
    ]
    if min(sizes) < LEAST_CALIBRATION:
        raise ValueError(
            f"kspace: expected a fully measured centre of {LEAST_CALIBRATION} x "
            f"{LEAST_CALIBRATION} samples or more for the coil maps, got {sizes[0]} x {sizes[1]}"
        )
    return espirit_maps(kspace, calibration=(sizes[0], sizes[1]), crop=0.0)


def crop_images(images: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Cut (..., rows, cols) about the centre, index n // 2, to `shape` where that is smaller."""
    for axis, size in ((-2, shape[-2]), (-1, shape[-1])):
        n = images.shape[axis]
        if size < n:
            images = images.narrow(axis, n // 2 - size // 2, size)
    return images.contiguous()


def _differs_by_slice(measured: KspaceFile) -> bool:
    places = measured.mask if measured.coords is None else measured.coords
    return places is not None and places.ndim == 3


def _find_sampled(
    measured: KspaceFile, slices: slice, shape: tuple[int, int], device: torch.device
) -> Tensor | Nufft:
    """Give the mask, or plan the transform, of some slices, or of all where they share it."""
    differs = _differs_by_slice(measured)
    if measured.coords is None:
        mask = torch.ones(shape[1], dtype=torch.bool) if measured.mask is None else measured.mask
        return (mask[slices] if differs else mask).to(device)
    coords = measured.coords[slices] if differs else measured.coords
    return Nufft(coords, shape, density=density_compensation(coords, shape)).to(device)


def _transform_back(kspace: Tensor, sampled: Tensor | Nufft) -> Tensor:
    """Give the zero-filled or gridded image of each coil."""
    if isinstance(sampled, Nufft):
        return sampled.grid(kspace)
    return ifft_centred(apply_mask(kspace, sampled))
