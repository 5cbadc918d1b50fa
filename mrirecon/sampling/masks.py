"""Masks as a pure function of (seed, volume, slice, epoch), one at a time or a batch."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrirecon.sampling.config import FASTMRI_STRATEGIES, SamplingConfig, Strategy
from mrirecon.sampling.density import draw_by_density
from mrirecon.sampling.fastmri import fastmri_generator, fastmri_lines, restart
from mrirecon.sampling.lines import equispaced, every_nth
from mrirecon.sampling.poisson_disc import draw_discs
from mrirecon.sampling.radial import draw_spokes

Draw = Callable[[SamplingConfig, tuple[int, ...], np.random.Generator], NDArray[np.bool_]]

# A line strategy is handed (n_lines,), a plane strategy (rows, cols).
STRATEGIES: dict[Strategy, Draw] = {
    "equispaced": equispaced,
    "every_nth": every_nth,
    "random": draw_by_density,
    "variable_density": draw_by_density,
    "gaussian": draw_by_density,
    "fastmri_random": fastmri_lines,
    "fastmri_equispaced": fastmri_lines,
    "fastmri_equispaced_fraction": fastmri_lines,
    "fastmri_magic": fastmri_lines,
    "fastmri_magic_fraction": fastmri_lines,
    "random_2d": draw_by_density,
    "variable_density_2d": draw_by_density,
    "gaussian_2d": draw_by_density,
    "poisson_disc": draw_discs,
    "radial": draw_spokes,
    "golden_angle": draw_spokes,
}


def make_mask(
    config: SamplingConfig,
    shape: tuple[int, int],
    *,
    seed: int,
    volume: int = 0,
    slice_index: int = 0,
    epoch: int = 0,
) -> Tensor:
    """Make the sampling mask of one slice.

    The randomness is NumPy's PCG64 on SeedSequence(seed, spawn_key=(volume, slice, epoch)),
    where what `config.per` shares is left at 0. So a mask depends on neither rank, worker nor
    order, and training, evaluation and a later run agree. fastMRI's kinds take their package's
    generator, seeded with (seed, volume, slice, epoch), and with `seed` alone where the others
    are all 0.

    Args:
        config: the sampling.
        shape: (rows, cols) of the image.
        seed: of the run, at least 0.
        volume: number of the volume, at least 0.
        slice_index: number of the slice in the volume, at least 0.
        epoch: at least 0.

    Returns:
        bool, True where measured: (cols,) or (rows, 1) for lines, else (rows, cols).

    Raises:
        ValueError: "name: expected ..., got ..." if `shape` has no room for what `config` asks.

    Examples:
        >>> from mrirecon.sampling import SamplingConfig, make_mask
        >>> config = SamplingConfig("equispaced", acceleration=4, calibration=4, offset=0)
        >>> make_mask(config, (8, 32), seed=0).int()
        tensor([1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0,
                0, 1, 0, 0, 0, 0, 0, 0], dtype=torch.int32)
        >>> make_mask(SamplingConfig("poisson_disc", acceleration=8), (64, 64), seed=0).shape
        torch.Size([64, 64])
    """
    place = (volume, slice_index, epoch)
    return torch.from_numpy(next(_draw(config, _checked(shape), seed, [place])))


def mask_batch(
    config: SamplingConfig,
    shape: tuple[int, int],
    *,
    seed: int,
    volumes: Tensor,
    slices: Tensor,
    epoch: int,
) -> Tensor:
    """Make the masks of a batch; entry i is `make_mask` of (volumes[i], slices[i], epoch).

    Args:
        config: the sampling.
        shape: (rows, cols) of the images.
        seed: of the run, at least 0.
        volumes: int64, (batch,), numbers of the volumes.
        slices: int64, (batch,), numbers of the slices in their volumes.
        epoch: at least 0.

    Returns:
        bool, on the CPU, (batch, 1, cols), (batch, rows, 1) or (batch, rows, cols). Where the
        batch shares one mask, it is a view that repeats it without a copy.

    Raises:
        ValueError: as `make_mask`; or `volumes` and `slices` differ in length.

    Examples:
        >>> import torch
        >>> from mrirecon.sampling import SamplingConfig, mask_batch
        >>> volumes, slices = torch.tensor([0, 0, 7]), torch.tensor([3, 4, 0])
        >>> config = SamplingConfig(per="slice")
        >>> masks = mask_batch(config, (64, 64), seed=0, volumes=volumes, slices=slices, epoch=0)
        >>> masks.shape
        torch.Size([3, 1, 64])
    """
    if volumes.shape != slices.shape or volumes.ndim != 1:
        expected = f"(batch,) as volumes {tuple(volumes.shape)}"
        raise ValueError(f"slices: expected {expected}, got {tuple(slices.shape)}")
    shape = _checked(shape)
    if config.per == "run" or volumes.numel() == 0:
        mask = torch.from_numpy(next(_draw(config, shape, seed, [(0, 0, epoch)])))
        return torch.atleast_2d(mask).expand(len(volumes), -1, -1)
    places = zip(volumes.tolist(), slices.tolist(), [epoch] * len(volumes), strict=True)
    stacked = torch.from_numpy(np.stack(list(_draw(config, shape, seed, places))))
    return stacked.unsqueeze(1) if stacked.ndim == 2 else stacked


def acceleration(mask: Tensor) -> float:
    """Measure how many times fewer samples a mask has than full sampling.

    Args:
        mask: bool, any of the mask shapes; of a batch, the mean number of samples counts.

    Returns:
        Entries over True entries, at least 1.

    Raises:
        ValueError: no entry is True.

    Examples:
        >>> from mrirecon.sampling import SamplingConfig, acceleration, make_mask
        >>> mask = make_mask(SamplingConfig("variable_density", acceleration=4), (256, 256), seed=0)
        >>> acceleration(mask)
        4.0
    """
    measured = int(mask.sum())
    if measured == 0:
        raise ValueError("mask: expected at least one measured sample, got none")
    return mask.numel() / measured


def _checked(shape: tuple[int, int]) -> tuple[int, int]:
    """Turn a torch.Size or list into a tuple, which the caches can key on."""
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"shape: expected (rows, cols), each at least 1, got {tuple(shape)}")
    return int(shape[0]), int(shape[1])


Place = tuple[int, int, int]  # volume, slice, epoch


def _draw(
    config: SamplingConfig, shape: tuple[int, int], seed: int, places: Iterable[Place]
) -> Iterator[NDArray[np.bool_]]:
    """Draw the mask of each place."""
    draw = STRATEGIES[config.strategy]
    if not config.is_line_mask:
        size: tuple[int, ...] = shape
    else:
        size = shape[1:] if config.axis == "cols" else shape[:1]
    for rng in _generators(config, seed, places):
        mask = draw(config, size, rng)
        yield mask[:, None] if config.is_line_mask and config.axis == "rows" else mask


def _generators(
    config: SamplingConfig, seed: int, places: Iterable[Place]
) -> Iterator[np.random.Generator]:
    """Give the generator of each place, to be used before the next one is asked for."""
    legacy = fastmri_generator(0) if config.strategy in FASTMRI_STRATEGIES else None
    for place in places:
        if min(seed, *place) < 0:
            expected = "seed, volume, slice and epoch of at least 0"
            raise ValueError(f"seed: expected {expected}, got {(seed, *place)}")
        shared = {"run": (0, 0, 0), "volume": (place[0], 0, place[2]), "slice": place}[config.per]
        if legacy:
            restart(legacy, (seed, *shared) if any(shared) else seed)
            yield legacy
        else:
            sequence = np.random.SeedSequence(seed, spawn_key=shared)
            yield np.random.Generator(np.random.PCG64(sequence))
