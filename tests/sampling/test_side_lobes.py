import math

import numpy as np
import pytest
import torch

from mrirecon.sampling import (
    SamplingConfig,
    TrajectoryConfig,
    full_mask,
    make_mask,
    mask_spread,
    measure_side_lobes,
    trajectory_spread,
)
from mrirecon.sampling.side_lobes import main_lobe

SHAPE = (48, 64)


def spread_of(strategy: str, **options: object) -> np.ndarray:
    config = SamplingConfig(strategy=strategy, **options)  # type: ignore[arg-type]
    return mask_spread(full_mask(make_mask(config, SHAPE, seed=1), SHAPE))


def test_full_sampling_has_no_side_lobes() -> None:
    lobes = measure_side_lobes(mask_spread(torch.ones(SHAPE, dtype=torch.bool)))
    assert lobes.peak < 1e-12
    assert lobes.rms < 1e-12


def test_every_fourth_line_has_three_copies_as_bright_as_the_peak() -> None:
    lobes = measure_side_lobes(spread_of("every_nth", acceleration=4, calibration=0))
    assert lobes.peak == pytest.approx(1)
    assert lobes.rms == pytest.approx(math.sqrt(3 / math.prod(SHAPE)))


def test_a_block_of_lines_has_the_side_lobe_of_its_dirichlet_kernel() -> None:
    mask = torch.zeros(SHAPE, dtype=torch.bool)
    mask[:, 32 - 8 : 32 + 8] = True
    offset = np.arange(1, 32)
    kernel = np.abs(np.sin(np.pi * offset / 4) / (16 * np.sin(np.pi * offset / 64)))
    lobes = measure_side_lobes(mask_spread(mask))
    assert lobes.peak == pytest.approx(kernel[4:].max())  # its zeros are 4 pixels apart
    assert 0.2 < lobes.peak < 0.25
    beyond = 2 * np.sum(kernel[3:] ** 2)  # both sides; the pixel opposite to the peak is a zero
    assert lobes.rms == pytest.approx(math.sqrt(beyond / math.prod(SHAPE)))
    lobe = main_lobe(mask_spread(mask))[24]
    assert bool(lobe[32 - 3 : 32 + 4].all())
    assert not bool(lobe[32 + 5 : 32 + 8].any())


def test_all_but_the_peak_tells_nothing_but_the_acceleration() -> None:
    for strategy in ("random_2d", "gaussian_2d", "poisson_disc"):
        spread = spread_of(strategy, acceleration=4)
        others = np.sum(spread**2) - 1
        assert others == pytest.approx(3)  # Parseval: acceleration - 1


def test_points_by_chance_have_lower_side_lobes_than_lines_by_chance_than_regular_lines() -> None:
    points, lines, regular = (
        measure_side_lobes(spread_of(name)).peak for name in ("random_2d", "random", "equispaced")
    )
    assert points < 0.5 * lines
    assert lines < 0.7 * regular


def test_more_spokes_have_lower_side_lobes() -> None:
    few, many = (
        measure_side_lobes(trajectory_spread(TrajectoryConfig(n_readouts=n, n_samples=96), SHAPE))
        for n in (13, 55)
    )
    assert few.peak > many.peak
    assert few.rms > 1.5 * many.rms
