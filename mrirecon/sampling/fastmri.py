"""The five line masks of the fastMRI package, bit for bit, from the same seeds.

Sources: Zbontar et al. 2018 (arXiv 1811.08839) for random and equispaced lines; Defazio 2019
(arXiv 1912.01101) for `magic`, whose lines on the two sides of the centre are offset so that none
is the conjugate of another. The order of random numbers and the rounding are those of the package
fastmri 0.3.0 (MIT licence), which tests/sampling/make_fastmri_masks.py runs beside this.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mrirecon.sampling.config import SamplingConfig

CENTRE_FRACTION = 0.32  # over the acceleration: 8 % of the lines at 4x, 4 % at 8x


def fastmri_generator(seed: int | Sequence[int]) -> np.random.Generator:
    """Start the Mersenne twister where `numpy.random.RandomState(seed)` does.

    Args:
        seed: 0 to 2^32 - 1, or several such numbers; fastMRI's data loaders take the code points
            of a file's name, `tuple(map(ord, name))`.

    Raises:
        ValueError: "seed: ..." outside that range.
    """
    rng = np.random.Generator(np.random.MT19937(0))  # of no seed it would ask the system for one
    restart(rng, seed)
    return rng


def restart(rng: np.random.Generator, seed: int | Sequence[int]) -> None:
    """Move a generator of `fastmri_generator` to another seed: a tenth of the time of a new one.

    Raises:
        ValueError: "seed: ..." as there.
    """
    numbers = [seed] if isinstance(seed, int) else seed
    if not all(0 <= number < 2**32 for number in numbers):
        raise ValueError(f"seed: expected 0 to 2^32 - 1 for fastMRI's masks, got {seed}")
    np.random.RandomState(rng.bit_generator).seed(seed)


def fastmri_lines(
    config: SamplingConfig, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw lines as fastMRI does for one acceleration and one centre fraction.

    Args:
        config: the sampling; its strategy is one of fastMRI's, `acceleration` and `offset` are
            what that package takes, `calibration` is its centre fraction times the lines.
        shape: (n_lines,).
        rng: of `fastmri_generator`.

    Returns:
        bool, (n_lines,).

    Raises:
        ValueError: "acceleration: ...", "calibration: ..." or "offset: ..." where fastMRI has no
            mask.

    Examples:
        >>> from mrirecon.sampling import SamplingConfig, fastmri_generator, fastmri_lines
        >>> config = SamplingConfig("fastmri_equispaced", acceleration=4, calibration=4)
        >>> int(fastmri_lines(config, (32,), fastmri_generator(seed=1)).sum())
        11
    """
    n_lines = shape[0]
    if config.acceleration > n_lines:
        expected = f"at most {n_lines}, the size of the image's axis"
        raise ValueError(f"acceleration: expected {expected}, got {config.acceleration:g}")
    legacy = np.random.RandomState(rng.bit_generator)
    n_central = _count_central(config, n_lines)
    draw = _DRAWS[config.strategy]
    if config.strategy == "fastmri_magic_fraction":
        n_central = max(min(n_central, round(n_lines / config.acceleration)), 1)
    mask = draw(config, n_lines, n_central, legacy)
    start = (n_lines - n_central + 1) // 2
    mask[start : start + n_central] = True
    return mask


def _count_central(config: SamplingConfig, n_lines: int) -> int:
    if config.calibration is None:
        return round(n_lines * (CENTRE_FRACTION / config.acceleration))
    if config.calibration > n_lines:
        expected = f"at most {n_lines}, the size of the image's axis"
        raise ValueError(f"calibration: expected {expected}, got {config.calibration}")
    return config.calibration


def _random(
    config: SamplingConfig, n_lines: int, n_central: int, rng: np.random.RandomState
) -> NDArray[np.bool_]:
    """Draw each line by itself, so that their number varies from mask to mask."""
    n_outer = max(n_lines - n_central, 1)  # none is left to draw where all lines are central
    chance = (n_lines / config.acceleration - n_central) / n_outer
    return np.asarray(rng.uniform(size=n_lines) < chance)


def _equispaced(
    config: SamplingConfig, n_lines: int, n_central: int, rng: np.random.RandomState
) -> NDArray[np.bool_]:
    """Take every n-th line of the axis; the central ones come on top."""
    del n_central
    spacing = int(config.acceleration)
    mask = np.zeros(n_lines, dtype=bool)
    mask[_offset(config, spacing, rng) :: spacing] = True
    return mask


def _equispaced_fraction(
    config: SamplingConfig, n_lines: int, n_central: int, rng: np.random.RandomState
) -> NDArray[np.bool_]:
    """Widen the spacing so that outer and central lines together meet the acceleration."""
    wanted = config.acceleration
    if n_central * wanted >= n_lines:
        _refuse_calibration(n_lines, wanted, n_central)
    spacing = (wanted * (n_lines - n_central)) / (n_lines - n_central * wanted)
    mask = np.zeros(n_lines, dtype=bool)
    lines = np.arange(_offset(config, round(spacing), rng), n_lines - 1, spacing)
    mask[np.around(lines).astype(np.intp)] = True
    return mask


def _magic(
    config: SamplingConfig, n_lines: int, n_central: int, rng: np.random.RandomState
) -> NDArray[np.bool_]:
    del n_central
    return _offset_sides(config, n_lines, int(config.acceleration), rng)


def _magic_fraction(
    config: SamplingConfig, n_lines: int, n_central: int, rng: np.random.RandomState
) -> NDArray[np.bool_]:
    """Widen the spacing of `_magic` to what the central lines leave of the acceleration."""
    n_outer = round(n_lines / config.acceleration) - n_central
    if n_outer < 1:
        _refuse_calibration(n_lines, config.acceleration, n_central)
    return _offset_sides(config, n_lines, round(n_lines / n_outer), rng)


def _offset_sides(
    config: SamplingConfig, n_lines: int, spacing: int, rng: np.random.RandomState
) -> NDArray[np.bool_]:
    """Take every n-th line outwards from the centre, from different distances on its two sides."""
    offset = _offset(config, spacing, rng)
    above, below = (offset + 1, offset + 3) if offset % 2 == 0 else (offset + 2, offset)
    line = np.arange(n_lines) - n_lines // 2  # 0 is the centre of k-space
    distance = np.where(line >= 0, line - above, -line - below)
    return np.asarray((distance >= 0) & (distance % spacing == 0))


def _offset(config: SamplingConfig, spacing: int, rng: np.random.RandomState) -> int:
    if config.offset is None:
        return int(rng.randint(0, high=spacing))
    if config.offset >= spacing:
        raise ValueError(f"offset: expected less than the spacing {spacing}, got {config.offset}")
    return int(config.offset)


def _refuse_calibration(n_lines: int, acceleration: float, n_central: int) -> None:
    raise ValueError(
        f"calibration: expected fewer than {n_lines / acceleration:g} lines, all that acceleration "
        f"{acceleration:g} allows, got {n_central}"
    )


_DRAWS = {
    "fastmri_random": _random,
    "fastmri_equispaced": _equispaced,
    "fastmri_equispaced_fraction": _equispaced_fraction,
    "fastmri_magic": _magic,
    "fastmri_magic_fraction": _magic_fraction,
}
