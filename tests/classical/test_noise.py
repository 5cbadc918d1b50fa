import math

import pytest
import torch

from mrirecon.classical import noise_amplification, ring_coil_maps
from mrirecon.sampling import (
    SamplingConfig,
    TrajectoryConfig,
    make_mask,
    plan_trajectory,
)

SHAPE = (40, 48)
MAPS = ring_coil_maps(8, SHAPE)


@pytest.mark.parametrize("n_coils", [1, 3, 8])
def test_maps_sum_to_one_and_each_sees_its_side(n_coils: int) -> None:
    maps = ring_coil_maps(n_coils, SHAPE)
    assert maps.shape == (1, n_coils, *SHAPE)
    assert maps.dtype == torch.complex64
    torch.testing.assert_close(maps.abs().square().sum(1), torch.ones(1, *SHAPE))
    if n_coils > 1:
        first = maps[0, 0].abs()  # at angle 0: where columns end
        assert first[20, -1] > 2 * first[20, 0]


def test_no_coils_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^n_coils: expected 1 or more, got 0$"):
        ring_coil_maps(0, SHAPE)


def test_full_sampling_amplifies_no_noise() -> None:
    mask = torch.ones(48, dtype=torch.bool)
    noise = noise_amplification(mask, MAPS, scan_time_factor=1, n_replicas=8)
    assert noise == pytest.approx(1, abs=3 / math.sqrt(2 * 8 * math.prod(SHAPE)) + 1e-3)


def test_half_the_lines_cost_what_the_geometry_of_two_pixels_says() -> None:
    """SENSE of every second line: two pixels fold, and g^2 = (C^-1)_11 C_11 of their 2 x 2 C."""
    mask = torch.arange(48) % 2 == 0
    folded = torch.stack([MAPS[0], MAPS[0].roll(24, dims=-1)], dim=-1)  # (coils, rows, cols, 2)
    matrix = torch.einsum("crxi,crxj->rxij", folded.conj(), folded).to(torch.complex128)
    factor = (matrix.inverse()[..., 0, 0] * matrix[..., 0, 0]).real
    expected = float(factor.mean().sqrt())
    assert expected > 1.01
    measured = noise_amplification(
        mask, MAPS, scan_time_factor=2, n_replicas=16, regularisation=0, n_iterations=60
    )
    assert measured == pytest.approx(expected, rel=0.015)  # 16 images: half a percent


def test_more_regularisation_makes_less_noise() -> None:
    mask = make_mask(SamplingConfig("equispaced", 4), SHAPE, seed=1)
    strong, weak = (
        noise_amplification(mask, MAPS, scan_time_factor=4, regularisation=weight)
        for weight in (0.1, 1e-3)
    )
    assert strong < 0.7 * weak


def test_fewer_spokes_amplify_noise_more() -> None:
    def amplification(n_spokes: int) -> float:
        config = TrajectoryConfig(n_readouts=n_spokes, n_samples=96)
        nufft = plan_trajectory(config, SHAPE, torch.device("cpu"))
        # Less regularisation recovers the unmeasured corners too, which is mostly noise.
        return noise_amplification(nufft, MAPS, scan_time_factor=40 / n_spokes, regularisation=0.05)

    assert amplification(75) < 1  # readouts of 96 samples
    assert amplification(12) > 1.05 * amplification(75)


@pytest.mark.parametrize("factor", [0.0, float("nan")])
def test_a_scan_without_time_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match=r"^scan_time_factor: expected above 0, got"):
        noise_amplification(torch.ones(48, dtype=torch.bool), MAPS, scan_time_factor=factor)
