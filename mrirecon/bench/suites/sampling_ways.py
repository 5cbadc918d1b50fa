"""Masks as fastMRI's formulas, SigPy and plain NumPy make them, one for each tuple of seeds."""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrirecon.sampling import SamplingConfig
from mrirecon.sampling.budget import calibration_extent, central_block
from mrirecon.sampling.density import density
from mrirecon.sampling.fastmri import CENTRE_FRACTION

Mask = NDArray[np.bool_]
DrawMask = Callable[[tuple[int, ...]], Mask]


def by_choice(config: SamplingConfig, size: tuple[int, int]) -> DrawMask:
    """Choose lines or points by density without replacement, as most code does."""
    shape = size[1:] if config.is_line_mask else size
    count = round(np.prod(shape) / config.acceleration)
    certain = central_block(shape, calibration_extent(config, shape, count))
    places = np.flatnonzero(~certain)
    chances = density(config, shape).ravel()[places]
    chances /= chances.sum()
    n_drawn = count - int(certain.sum())

    def draw(seeds: tuple[int, ...]) -> Mask:
        rng = np.random.default_rng(seeds)
        mask = certain.copy()
        mask.flat[rng.choice(places, n_drawn, replace=False, p=chances)] = True
        return mask

    return draw


def by_sigpy(config: SamplingConfig, size: tuple[int, int]) -> DrawMask:
    """Draw SigPy's Poisson disc, which searches for the density of every mask anew."""
    samp: Any = importlib.import_module("sigpy.mri.samp")
    extent = calibration_extent(config, size, round(np.prod(size) / config.acceleration))
    options = {"calib": (extent, extent), "dtype": bool}

    def draw(seeds: tuple[int, ...]) -> Mask:
        return np.asarray(samp.poisson(size, config.acceleration, seed=seeds[2], **options))

    return draw


def by_fastmri(config: SamplingConfig, size: tuple[int, int]) -> DrawMask:
    """Draw lines as the package fastmri does: its formulas, written out.

    Sources: Zbontar et al. 2018 (arXiv 1811.08839); Defazio 2019 (arXiv 1912.01101) for `magic`.
    """
    n_lines, wanted = size[1], int(config.acceleration)
    n_central = round(n_lines * CENTRE_FRACTION / config.acceleration)
    kind = config.strategy.removeprefix("fastmri_")
    if kind == "magic_fraction":
        n_central = max(min(n_central, round(n_lines / wanted)), 1)
    centre = (n_lines - n_central + 1) // 2
    outer = partial(_OUTER[kind], n_lines, n_central, wanted)
    rng = np.random.RandomState()

    def draw(seeds: tuple[int, ...]) -> Mask:
        rng.seed(seeds)
        mask = outer(rng)
        mask[centre : centre + n_central] = True
        return mask

    return draw


def _random(n_lines: int, n_central: int, wanted: int, rng: np.random.RandomState) -> Mask:
    chance = (n_lines / wanted - n_central) / (n_lines - n_central)
    return np.asarray(rng.uniform(size=n_lines) < chance)


def _equispaced(n_lines: int, n_central: int, wanted: int, rng: np.random.RandomState) -> Mask:
    mask = np.zeros(n_lines, dtype=bool)
    mask[rng.randint(0, high=wanted) :: wanted] = True
    return mask


def _fraction(n_lines: int, n_central: int, wanted: int, rng: np.random.RandomState) -> Mask:
    spacing = wanted * (n_central - n_lines) / (n_central * wanted - n_lines)
    first = rng.randint(0, high=round(spacing))
    mask = np.zeros(n_lines, dtype=bool)
    mask[np.around(np.arange(first, n_lines - 1, spacing)).astype(np.uint)] = True
    return mask


def _magic(n_lines: int, n_central: int, spacing: int, rng: np.random.RandomState) -> Mask:
    """Space both halves of k-space from its centre, in the order of a plain transform."""
    offset = rng.randint(0, high=spacing)
    first, last = (offset + 1, offset + 2) if offset % 2 == 0 else (offset - 1 + 3, offset - 1 + 0)
    n_positive = (n_lines + 1) // 2
    positive, negative = (np.zeros(n, dtype=bool) for n in (n_positive, n_lines - n_positive))
    positive[first::spacing] = True
    negative[last::spacing] = True
    return np.fft.fftshift(np.concatenate([positive, negative[::-1]]))


def _magic_fraction(n_lines: int, n_central: int, wanted: int, rng: np.random.RandomState) -> Mask:
    n_outer = round(n_lines / wanted) - n_central
    return _magic(n_lines, n_central, round(n_lines / n_outer), rng)


_OUTER = {
    "random": _random,
    "equispaced": _equispaced,
    "equispaced_fraction": _fraction,
    "magic": _magic,
    "magic_fraction": _magic_fraction,
}
