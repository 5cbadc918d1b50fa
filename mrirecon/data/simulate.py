"""Simulate a measurement of image slices: scale, coils, transform, undersample, and go back."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.data.dataset import RawBatch
from mrirecon.data.low_resolution import low_resolution_phase, self_calibrated_maps
from mrirecon.data.scene import Scene, make_scene
from mrirecon.data.simulation_config import SimulationConfig
from mrirecon.fourier import fft_centred
from mrirecon.nufft import Nufft
from mrirecon.ops import apply_mask, combine_coils, undersample_image
from mrirecon.sampling import (
    MixtureConfig,
    TrajectoryConfig,
    Undersampling,
    mask_batch,
    plan_trajectory,
    trajectory_mask,
)


@dataclass(frozen=True)
class Measurement:
    """Undersampled k-space of a batch, and the image it was made from.

    Nothing but `target` knows more than a scanner does: phase and coil maps are estimated from the
    centre of the undersampled k-space.
    """

    target: Tensor
    """(batch, 1, rows, cols) float32 in [0, 1], the fully sampled image: of several coils the root
    of the sum of squares."""
    mask: Tensor
    """(batch, rows or 1, cols or 1) bool, True where measured; off the grid, a picture of it."""
    zero_filled: Tensor
    """(batch, 1, rows, cols) complex64, image of the k-space that was measured; off the grid, by
    gridding with the trajectory's density; of several coils, combined by their maps."""
    nufft: Nufft | None = None
    """The transform to the samples of a trajectory, with their density; None on the grid."""
    samples: Tensor | None = None
    """(batch, coils, samples) complex64, what was measured along it; None on the grid."""
    phase: Tensor | None = None
    """(batch, 1, rows, cols) complex64 of magnitude 1, the phase of one coil's image; None where it
    is known to be 0, and of several coils, whose maps contain it."""
    coil_maps: Tensor | None = None
    """(batch, coils, rows, cols) complex64 of sum |map|^2 = 1; None for one coil."""
    coil_images: Tensor | None = None
    """(batch, coils, rows, cols) complex64, `zero_filled` before coils were combined; None for
    one coil."""

    @property
    def sampled(self) -> Tensor | Nufft:
        """What a generator needs beside `zero_filled`: the mask, or the trajectory's transform."""
        return self.mask if self.nufft is None else self.nufft

    @property
    def kspace(self) -> Tensor:
        """Measured k-space, complex64.

        (batch, coils, rows, cols), centred, exactly 0 where it is not measured; or along a
        trajectory (batch, coils, samples).
        """
        if self.samples is not None:
            return self.samples
        images = self.zero_filled if self.coil_images is None else self.coil_images
        return apply_mask(fft_centred(images), self.mask)


def simulate(
    batch: RawBatch,
    sampling: Undersampling | MixtureConfig,
    *,
    seed: int,
    epoch: int = 0,
    simulation: SimulationConfig | None = None,
) -> Measurement:
    """Measure a batch as a scanner would, on the device of its images.

    kspace = mask * (F map image / scale + noise) for each coil, with the centred orthonormal
    transform F, so that noise has the same size in k-space and in a fully sampled image. Complex
    images of the store are what their coils saw; magnitudes get the phase and the coils of
    `simulation`. Mask, noise and phase of a slice are functions of (seed, its volume, its number,
    epoch), whatever else is in the batch.

    On the CPU one pass goes from images to zero-filled images, see `undersample_image`.

    Along a trajectory kspace = A map image / scale + noise, with the non-uniform transform A,
    planned once, and the image is gridded from it.

    Args:
        batch: raw slices and their scales.
        sampling: what is measured; of a mixture each slice has its own pattern, on the grid.
        seed: of masks, noise and phase, 0 or more.
        epoch: each has its own masks, noise and phase.
        simulation: noise, phase and coils; None for none of them.

    Returns:
        The measurement; its tensors lie where `batch.images` does.

    Raises:
        ValueError: the sampling does not fit the size of the slices, or phase or coils are asked
            for where the images have their own; or a mixture puts a slice on a trajectory.

    Examples:
        >>> import torch
        >>> from mrirecon.data import RawBatch, SimulationConfig, simulate
        >>> from mrirecon.sampling import SamplingConfig
        >>> batch = RawBatch.of_volume(torch.rand(3, 32, 32).numpy())
        >>> lines, noise = SamplingConfig(acceleration=4), SimulationConfig(noise_std=0.01)
        >>> measured = simulate(batch, lines, seed=0, epoch=0, simulation=noise)
        >>> measured.target.shape, measured.zero_filled.dtype, measured.mask.shape
        (torch.Size([3, 1, 32, 32]), torch.complex64, torch.Size([3, 1, 32]))
    """
    scene = make_scene(batch, simulation or SimulationConfig(), seed=seed, epoch=epoch)
    if isinstance(sampling, TrajectoryConfig):
        return _measure_off_grid(scene, sampling)
    shape = batch.images.shape[-2], batch.images.shape[-1]
    draw = sampling.masks if isinstance(sampling, MixtureConfig) else partial(mask_batch, sampling)
    volumes, slices = batch.volumes.cpu(), batch.slices.cpu()
    mask = draw(shape, seed=seed, volumes=volumes, slices=slices, epoch=epoch)
    mask = mask.to(batch.images.device, non_blocking=True)
    return _combine(scene, mask, _undersample(scene, mask))


def simulate_parts(
    batch: RawBatch,
    sampling: Undersampling | MixtureConfig,
    *,
    seed: int,
    epoch: int = 0,
    simulation: SimulationConfig | None = None,
) -> list[Measurement]:
    """Measure a batch part by part: of a mixture, slices on the grid, then those of a trajectory.

    Args:
        batch: raw slices and their scales.
        sampling: what is measured.
        seed: as of `simulate`.
        epoch: as of `simulate`.
        simulation: as of `simulate`.

    Returns:
        One measurement where all slices lie on the grid or along one trajectory.

    Raises:
        ValueError: as `simulate`.
    """
    measure = partial(simulate, seed=seed, epoch=epoch, simulation=simulation)
    if not isinstance(sampling, MixtureConfig):
        return [measure(batch, sampling)]
    volumes, slices = batch.volumes.cpu(), batch.slices.cpu()
    chosen = sampling.choose(seed=seed, volumes=volumes, slices=slices, epoch=epoch)
    n_on_grid = len(sampling.sampling)
    ways: list[tuple[NDArray[np.bool_], Undersampling | MixtureConfig]] = [
        (chosen < n_on_grid, sampling)
    ]
    ways += [(chosen == n_on_grid + n, pattern) for n, pattern in enumerate(sampling.trajectory)]
    return [
        measure(batch.take(np.flatnonzero(of_way).tolist()), way)
        for of_way, way in ways
        if of_way.any()
    ]


def _undersample(scene: Scene, mask: Tensor) -> Tensor:
    """Give the zero-filled image of what each coil measures, with its noise."""
    seeds = None if scene.noise_std is None else scene.seeds
    return undersample_image(scene.images, mask, noise_std=scene.noise_std, seeds=seeds)


def _measure_off_grid(scene: Scene, trajectory: TrajectoryConfig) -> Measurement:
    """Sample a trajectory, the same for all slices, and grid what was measured."""
    shape = scene.images.shape[-2], scene.images.shape[-1]
    nufft = plan_trajectory(trajectory, shape, scene.images.device)
    kspace = nufft(scene.images.to(torch.complex64))  # (batch, coils, samples)
    every = torch.ones(kspace.shape[-1], dtype=torch.bool, device=kspace.device)
    kspace = scene.add_noise(kspace[:, :, None], every)[:, :, 0]
    mask = trajectory_mask(trajectory, shape).to(kspace.device).expand(len(kspace), -1, -1)
    return _combine(scene, mask, nufft.grid(kspace), nufft, kspace)


def _combine(
    scene: Scene,
    mask: Tensor,
    measured: Tensor,
    nufft: Nufft | None = None,
    samples: Tensor | None = None,
) -> Measurement:
    """Join the coils' images by maps that the measurement itself gives."""
    if measured.shape[1] == 1:
        phase = low_resolution_phase(measured) if scene.has_phase else None
        return Measurement(scene.target, mask, measured, nufft, samples, phase)
    maps = self_calibrated_maps(measured)
    combined = combine_coils(measured, maps)
    return Measurement(scene.target, mask, combined, nufft, samples, None, maps, measured)
