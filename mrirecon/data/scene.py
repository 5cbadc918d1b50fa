"""What lies before the scanner: images as each coil sees them, and the noise of a scan.

All random numbers of a slice come from Philox (Salmon et al. 2011, DOI 10.1145/2063384.2063405) by
a key of its own. SplitMix64 (Steele et al. 2014, DOI 10.1145/2714064.2660195) mixes the keys of a
whole batch at once from (seed, volume, slice, epoch).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.data.coil_ring import ring_coil_maps
from mrirecon.data.dataset import RawBatch
from mrirecon.data.pixels import BLANK_LEVEL
from mrirecon.data.simulation_config import SimulationConfig
from mrirecon.ops import apply_mask, expand_coils

PHASE_ORDERS = 4
"""Cosines along each axis, of 0 to 3 half waves over the field of view, that a phase is made of."""
_NOISE, _PHASE = 1, 2  # purposes of random numbers


@dataclass(frozen=True)
class Scene:
    """A batch as its coils see it."""

    target: Tensor
    """(batch, 1, rows, cols) float32 in [0, 1], its magnitude."""
    images: Tensor
    """(batch, coils, rows, cols), float32 for one coil and zero phase, else complex64."""
    noise_std: Tensor | None
    """(batch,) float32, of the real and of the imaginary part; None for no noise."""
    seeds: Tensor
    """(batch,) int64, of the noise."""

    @property
    def has_phase(self) -> bool:
        """Whether the images have a phase."""
        return self.images.is_complex()

    def add_noise(self, kspace: Tensor, mask: Tensor) -> Tensor:
        """Keep what a mask measures of the batch, with noise, see `apply_mask`."""
        if self.noise_std is None:
            return apply_mask(kspace, mask)
        return apply_mask(kspace, mask, noise_std=self.noise_std, seed=self.seeds)


def make_scene(batch: RawBatch, simulation: SimulationConfig, *, seed: int, epoch: int) -> Scene:
    """Scale a batch, and give magnitudes the phase and the coils that are asked for.

    Args:
        batch: raw slices and their scales.
        simulation: noise, phase and coils.
        seed: of noise and phase, 0 or more.
        epoch: each has its own noise and phase.

    Raises:
        ValueError: phase or coils are asked for where the images have their own.
    """
    device = batch.images.device
    place = (seed, batch.volumes.numpy(), batch.slices.numpy(), epoch)
    if batch.is_complex:
        _require_own(simulation)
        images = batch.images / batch.scale[:, None, None, None]  # (batch, coils, rows, cols)
        squares = images.real.square() + images.imag.square()
        target = squares.sum(dim=1, keepdim=True).sqrt()
    else:
        target = batch.images.to(torch.float32)[:, None] / batch.scale[:, None, None, None]
        keys = torch.from_numpy(mix_seeds(_PHASE, *place)).to(device)
        images = _add_coils(_add_phase(target, simulation.phase, keys), simulation.n_coils)
    seeds = torch.from_numpy(mix_seeds(_NOISE, *place)).to(device)
    return Scene(target, images, _noise_std(target, simulation), seeds)


def smooth_phase(shape: tuple[int, int], phase: float, keys: Tensor) -> Tensor:
    """Draw smooth phases: cosines of low order, of random size, about a random constant.

    Args:
        shape: (rows, cols).
        phase: root mean square over images and pixels about the constant [rad].
        keys: int64, (batch,), of the random numbers.

    Returns:
        float32, (batch, 1, rows, cols) [rad].
    """
    device = keys.device
    zeros = torch.zeros(len(keys), PHASE_ORDERS, PHASE_ORDERS, dtype=torch.complex64, device=device)
    every = torch.ones(PHASE_ORDERS, dtype=torch.bool, device=device)
    normal = apply_mask(zeros, every, noise_std=1.0, seed=keys)
    order = torch.arange(PHASE_ORDERS, device=device)
    weight = 1 / (1 + order[:, None] ** 2 + order**2)
    weight[0, 0] = 0
    energy = torch.where(order > 0, 0.5, 1.0)  # mean square of a cosine
    power = (weight**2 * energy[:, None] * energy).sum()
    cosines = [
        torch.cos(torch.pi * order * (torch.arange(n, device=device)[:, None] + 0.5) / n)
        for n in shape
    ]
    size = normal.real * weight * (phase / power.sqrt())
    constant = normal[:, :1, :1].angle()
    return (cosines[0] @ size @ cosines[1].mT + constant)[:, None]


def mix_seeds(
    purpose: int, seed: int, volumes: NDArray[np.int64], slices: NDArray[np.int64], epoch: int
) -> NDArray[np.int64]:
    """Mix what random numbers depend on into a key for each slice.

    Args:
        purpose: 0 or more; each has numbers of its own.
        seed: 0 or more.
        volumes: (batch,).
        slices: (batch,).
        epoch: 0 or more.

    Returns:
        (batch,) int64.
    """
    keys = np.zeros(len(volumes), np.uint64)
    for part in (purpose, seed, volumes, slices, epoch):
        keys += np.asarray(part).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        keys ^= keys >> np.uint64(31)
    return keys.view(np.int64)


def _add_phase(target: Tensor, phase: float, keys: Tensor) -> Tensor:
    if phase == 0:
        return target
    shape = target.shape[-2], target.shape[-1]
    return torch.polar(target, smooth_phase(shape, phase, keys))


def _add_coils(image: Tensor, n_coils: int) -> Tensor:
    if n_coils == 1:
        return image
    maps = _maps(n_coils, (image.shape[-2], image.shape[-1]), image.device)
    return expand_coils(image.to(torch.complex64), maps)


@lru_cache(maxsize=8)
def _maps(n_coils: int, shape: tuple[int, int], device: torch.device) -> Tensor:
    return ring_coil_maps(n_coils, shape).to(device)


def _noise_std(target: Tensor, simulation: SimulationConfig) -> Tensor | None:
    if not simulation.has_noise:
        return None
    if simulation.snr is None:
        return torch.full((len(target),), simulation.noise_std, device=target.device)
    is_shown = target >= BLANK_LEVEL
    count = is_shown.sum(dim=(1, 2, 3))
    total = torch.where(is_shown, target, 0).sum(dim=(1, 2, 3))
    signal = torch.where(count > 0, total / count.clamp_min(1), BLANK_LEVEL)
    return signal / simulation.snr


def _require_own(simulation: SimulationConfig) -> None:
    if simulation.phase != 0 or simulation.n_coils != 1:
        raise ValueError(
            "simulation: expected neither phase nor n_coils for complex images, which have their "
            f"own, got phase {simulation.phase} and n_coils {simulation.n_coils}"
        )
