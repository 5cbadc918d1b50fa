"""Simulate a measurement of image slices: scale, transform, undersample, and fill with zeros."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mrirecon.data.dataset import RawBatch
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.ops import apply_mask
from mrirecon.sampling import SamplingConfig, mask_batch


@dataclass(frozen=True)
class Measurement:
    """Undersampled k-space of a batch, and the image it was made from."""

    target: Tensor
    """(batch, 1, rows, cols) float32 in [0, 1], the fully sampled image."""
    kspace: Tensor
    """(batch, 1, rows, cols) complex64, 0 where it is not measured."""
    mask: Tensor
    """(batch, rows or 1, cols or 1) bool, True where measured."""
    zero_filled: Tensor
    """(batch, 1, rows, cols) complex64, image of `kspace`."""


def simulate(
    batch: RawBatch,
    sampling: SamplingConfig,
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
    mask = mask_batch(
        sampling,
        (rows, cols),
        seed=seed,
        volumes=batch.volumes.cpu(),
        slices=batch.slices.cpu(),
        epoch=epoch,
    ).to(device)
    target = batch.images.to(torch.float32)[:, None] / batch.scale[:, None, None, None]
    kspace = fft_centred(target)  # (batch, 1, rows, cols)
    if noise_std == 0:
        kspace = apply_mask(kspace, mask)
    else:
        kspace = _apply_noisy_mask(kspace, mask, batch, noise_std, seed=seed, epoch=epoch)
    return Measurement(target, kspace, mask, ifft_centred(kspace))


def _apply_noisy_mask(
    kspace: Tensor, mask: Tensor, batch: RawBatch, noise_std: float, *, seed: int, epoch: int
) -> Tensor:
    """Mask slice by slice, since each has a seed of its own."""
    places = zip(batch.volumes.tolist(), batch.slices.tolist(), strict=True)
    return torch.cat(
        [
            apply_mask(
                kspace[i : i + 1],
                mask[i : i + 1],
                noise_std=noise_std,
                seed=_noise_seed(seed, volume, slice_index, epoch),
            )
            for i, (volume, slice_index) in enumerate(places)
        ]
    )


def _noise_seed(*place: int) -> int:
    """Mix (seed, volume, slice, epoch) into 63 bits; a mask's random numbers start elsewhere."""
    sequence = np.random.SeedSequence(place, spawn_key=(0x6E6F6973,))  # "nois"
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)
