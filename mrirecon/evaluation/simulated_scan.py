"""The scan of an image, or of a slab, that sampling strategies are compared on."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mrirecon.data.scene import smooth_phase
from mrirecon.fourier import fft_centred
from mrirecon.metrics import Protocol
from mrirecon.nufft import Nufft
from mrirecon.ops import apply_mask
from mrirecon.sampling import AcquisitionConfig, ScannerProfile


@dataclass(frozen=True)
class Slab:
    """The volume of a 3-D scan, and the slice of it that is looked at.

    Attributes:
        volume: real, (depth, rows, cols), fully sampled, not negative.
        index: of the slice.
    """

    volume: Tensor
    index: int


@dataclass(frozen=True)
class SimulatedScan:
    """A scan to simulate, of an image (rows, cols) in [0, 1], and how to judge it."""

    target: Tensor
    slab: Slab | None
    phase: Tensor
    coil_maps: Tensor
    noise_std: float
    seed: int
    acquisition: AcquisitionConfig
    profile: ScannerProfile
    protocol: Protocol

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of the image."""
        return self.target.shape[0], self.target.shape[1]

    def maps_for(self, sampled: Tensor | Nufft) -> Tensor:
        """Give the coils' maps, of a slab the same in each partition: (1, coils, ...)."""
        if isinstance(sampled, Nufft) and len(sampled.image_shape) == 3:
            maps = self.coil_maps[:, :, None]
            return maps.expand(-1, -1, sampled.image_shape[0], -1, -1).contiguous()
        return self.coil_maps

    def measure(self, sampled: Tensor | Nufft, n_coils: int) -> Tensor:
        """Simulate noisy k-space of the image, (1, coils, rows, cols) or (1, coils, samples)."""
        is_slab = isinstance(sampled, Nufft) and len(sampled.image_shape) == 3
        source = self.slab.volume if is_slab and self.slab is not None else self.target
        images = (source * self.phase)[None, None]
        if n_coils > 1:
            images = images * self.maps_for(sampled)
        kspace = sampled(images) if isinstance(sampled, Nufft) else fft_centred(images)
        generator = torch.Generator().manual_seed(self.seed)
        noise = torch.randn(kspace.shape, dtype=kspace.dtype, generator=generator)
        kspace = kspace + math.sqrt(2) * self.noise_std * noise  # torch's has unit variance in all
        return kspace if isinstance(sampled, Nufft) else apply_mask(kspace, sampled)


def draw_phase(target: Tensor, phase: float, seed: int) -> Tensor:
    """Draw exp(i times the phase) of the image: complex64, (rows, cols)."""
    if phase == 0:
        return torch.ones_like(target, dtype=torch.complex64)
    angle = smooth_phase((target.shape[0], target.shape[1]), phase, torch.tensor([seed]))[0, 0]
    return torch.polar(torch.ones_like(angle), angle)


def scaled_slab(slab: Slab, image: Tensor, acquisition: AcquisitionConfig) -> Slab:
    """Scale a slab as its slice, so that noise means the same."""
    depth, expected = acquisition.n_partitions, (acquisition.n_partitions, *image.shape)
    if slab.volume.shape != expected or not 0 <= slab.index < depth:
        got = f"{tuple(slab.volume.shape)} and slice {slab.index}"
        raise ValueError(f"slab: expected {tuple(expected)} and one of its slices, got {got}")
    return Slab(slab.volume.to(torch.float32) / image.max(), slab.index)


def scaled_image(image: Tensor) -> Tensor:
    """Check an image, and scale it to a maximum of 1, float32."""
    if image.ndim != 2 or min(image.shape) < 16:
        expected = "(rows, cols), each at least 16"
        raise ValueError(f"image: expected {expected}, got {tuple(image.shape)}")
    values = image.to(torch.float32)
    if not bool(values.isfinite().all()) or float(values.min()) < 0 or float(values.max()) == 0:
        expected = "finite magnitudes, 0 or more, not all 0"
        got = f"{float(values.min()):g} to {float(values.max()):g}"
        raise ValueError(f"image: expected {expected}, got {got}")
    return values / values.max()
