"""Simulate a measurement of image slices: scale, transform, undersample, and go back."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mrirecon.data.dataset import RawBatch
from mrirecon.fourier import fft_centred, masked_dims
from mrirecon.nufft import Nufft
from mrirecon.ops import apply_mask
from mrirecon.sampling import (
    TrajectoryConfig,
    Undersampling,
    mask_batch,
    plan_trajectory,
    trajectory_mask,
)


@dataclass(frozen=True)
class Measurement:
    """Undersampled k-space of a batch, and the image it was made from."""

    target: Tensor
    """(batch, 1, rows, cols) float32 in [0, 1], the fully sampled image."""
    mask: Tensor
    """(batch, rows or 1, cols or 1) bool, True where measured; off the grid, a picture of it."""
    zero_filled: Tensor
    """(batch, 1, rows, cols) complex64, image of the k-space that was measured; off the grid, by
    gridding with the trajectory's density."""
    nufft: Nufft | None = None
    """The transform to the samples of a trajectory, with their density; None on the grid."""
    samples: Tensor | None = None
    """(batch, 1, samples) complex64, what was measured along it; None on the grid."""

    @property
    def sampled(self) -> Tensor | Nufft:
        """What a generator needs beside `zero_filled`: the mask, or the trajectory's transform."""
        return self.mask if self.nufft is None else self.nufft

    @property
    def kspace(self) -> Tensor:
        """Measured k-space, complex64.

        (batch, 1, rows, cols), centred, exactly 0 where it is not measured; or along a trajectory
        (batch, 1, samples).
        """
        if self.samples is not None:
            return self.samples
        return apply_mask(fft_centred(self.zero_filled), self.mask)


def simulate(
    batch: RawBatch,
    sampling: Undersampling,
    *,
    seed: int,
    epoch: int = 0,
    noise_std: float = 0.0,
) -> Measurement:
    """Measure a batch as a scanner with one coil would, on the device of its images.

    kspace = mask * (F image / scale + noise), with the centred orthonormal transform F, so that
    `noise_std` is a part of the volume's maximum in k-space and in a fully sampled image alike.
    Mask and noise of a slice are functions of (seed, its volume, its number, epoch), whatever
    else is in the batch.

    Computed without a shift, and for line masks by transforms along their axis alone: with the
    plain transform P and a cyclic shift S, F = S P S^-1, and a shift of the image is a phase in
    k-space, which a mask leaves alone. So F^-1 mask F = P^-1 (S^-1 mask) P, and a transform along
    an axis on which the mask does not vary cancels with its inverse. Complex Gaussian noise keeps
    its distribution under both.

    Along a trajectory kspace = A image / scale + noise, with the non-uniform transform A, planned
    once, and the image is gridded from it.

    Args:
        batch: raw slices and their scales.
        sampling: what is measured.
        seed: of masks and noise, 0 or more.
        epoch: each has its own masks and noise.
        noise_std: standard deviation of the noise's real part, and of its imaginary part.

    Returns:
        The measurement; its tensors lie where `batch.images` does.

    Raises:
        ValueError: the sampling does not fit the size of the slices, or `noise_std` is negative.
    """
    rows, cols = batch.images.shape[-2:]
    device = batch.images.device
    target = batch.images.to(torch.float32)[:, None] / batch.scale[:, None, None, None]
    seeds = [
        _noise_seed(seed, volume, number, epoch)
        for volume, number in zip(batch.volumes.tolist(), batch.slices.tolist(), strict=True)
    ]
    if isinstance(sampling, TrajectoryConfig):
        return _simulate_off_grid(target, sampling, noise_std, seeds)
    mask = mask_batch(
        sampling,
        (rows, cols),
        seed=seed,
        volumes=batch.volumes.cpu(),
        slices=batch.slices.cpu(),
        epoch=epoch,
    ).to(device)
    dims = masked_dims(mask) or (-1,)
    spectrum = torch.fft.fftn(target, dim=dims, norm="ortho")  # (batch, 1, rows, cols)
    plain_mask = torch.fft.ifftshift(mask, dim=dims)
    if noise_std == 0:
        spectrum = apply_mask(spectrum, plain_mask)
    else:
        spectrum = _apply_noisy_mask(spectrum, plain_mask, noise_std, seeds)
    return Measurement(target, mask, torch.fft.ifftn(spectrum, dim=dims, norm="ortho"))


def _simulate_off_grid(
    target: Tensor, trajectory: TrajectoryConfig, noise_std: float, seeds: list[int]
) -> Measurement:
    """Sample a trajectory, the same for all slices, and grid what was measured."""
    shape = target.shape[-2], target.shape[-1]
    nufft = plan_trajectory(trajectory, shape, target.device)
    kspace = nufft(target.to(torch.complex64))  # (batch, 1, samples)
    if noise_std != 0:
        every = torch.ones(len(seeds), 1, kspace.shape[-1], dtype=torch.bool, device=target.device)
        kspace = _apply_noisy_mask(kspace[:, :, None], every, noise_std, seeds)[:, :, 0]
    mask = trajectory_mask(trajectory, shape).to(target.device).expand(len(seeds), -1, -1)
    return Measurement(target, mask, nufft.grid(kspace), nufft, kspace)


def _apply_noisy_mask(spectrum: Tensor, mask: Tensor, noise_std: float, seeds: list[int]) -> Tensor:
    """Mask slice by slice, since the noise of each has its own seed."""
    parts = [
        apply_mask(spectrum[i : i + 1], mask[i : i + 1], noise_std=noise_std, seed=seed)
        for i, seed in enumerate(seeds)
    ]
    return torch.cat(parts)


def _noise_seed(*place: int) -> int:
    """Mix (seed, volume, slice, epoch) into 63 bits; a mask's random numbers start elsewhere."""
    sequence = np.random.SeedSequence(place, spawn_key=(0x6E6F6973,))  # "nois"
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)
