import math

import pytest
import torch

from mrirecon.classical import total_variation
from mrirecon.classical.total_variation import TotalVariationProximal


def test_total_variation_is_the_length_of_the_gradient() -> None:
    image = torch.tensor([[0.0, 3.0], [4.0, 4.0]])[None, None]
    assert total_variation(image).item() == pytest.approx(5 + 1)  # 3-4-5, 4 - 3; and 0 below
    assert total_variation(image, is_isotropic=False).item() == pytest.approx(3 + 4 + 1)


def test_total_variation_of_a_volume_counts_the_depth() -> None:
    volume = torch.zeros(1, 1, 2, 2, 2)
    volume[0, 0, 1, 1, 1] = 3.0  # three steps of 3 lead to it, from three pixels
    assert total_variation(volume).item() == pytest.approx(9)
    volume[0, 0, 1, 1, 1], volume[0, 0, 0, 0, 0] = 0.0, 3.0  # all three from one
    assert total_variation(volume).item() == pytest.approx(math.sqrt(27))


@pytest.mark.parametrize("axis", [-3, -2, -1])
def test_proximal_of_a_step_in_a_volume_moves_both_sides_together(axis: int) -> None:
    volume = torch.zeros(1, 1, 4, 5, 8, dtype=torch.float64)
    n = volume.shape[axis]
    volume.narrow(axis, n // 2, n - n // 2).fill_(1)
    threshold = torch.full((1, 1, 1, 1, 1), 0.4, dtype=torch.float64)
    proximal = TotalVariationProximal(threshold, n_steps=300)
    expected = volume * (1 - 0.4 / (n - n // 2)) + (1 - volume) * 0.4 / (n // 2)
    torch.testing.assert_close(proximal(volume), expected, rtol=0, atol=1e-6)


def test_total_variation_of_a_complex_image_does_not_depend_on_its_phase() -> None:
    image = torch.rand(2, 1, 5, 6, dtype=torch.float64)
    turned = image * torch.tensor(1j).exp()
    torch.testing.assert_close(total_variation(turned), total_variation(image))


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("is_isotropic", [True, False])
def test_proximal_of_a_step_moves_both_sides_together(
    is_isotropic: bool, dtype: torch.dtype
) -> None:
    """A step of n columns on each side: each side moves by threshold / n, known exactly."""
    image = torch.zeros(2, 1, 5, 8, dtype=dtype)
    image[..., 4:] = 1
    threshold = torch.tensor([0.4, 0.0], dtype=torch.float64).view(-1, 1, 1, 1)
    proximal = TotalVariationProximal(threshold, n_steps=300, is_isotropic=is_isotropic)
    expected = torch.where(image.real > 0, 1 - threshold / 4, threshold / 4).to(dtype)
    torch.testing.assert_close(proximal(image), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(7, 6), (4, 5, 6)])
@pytest.mark.parametrize("is_isotropic", [True, False])
def test_proximal_is_the_minimum(shape: tuple[int, ...], is_isotropic: bool) -> None:
    """Convex: no image near it, in any direction, has a lower objective."""
    image = torch.randn(1, 1, *shape, dtype=torch.complex128)
    threshold = torch.full((1, 1, *[1] * len(shape)), 0.3, dtype=torch.float64)
    best = TotalVariationProximal(threshold, n_steps=3000, is_isotropic=is_isotropic)(image)

    def objective(x: torch.Tensor) -> float:
        prior = total_variation(x, is_isotropic=is_isotropic).item()
        return (x - image).abs().square().sum().item() / 2 + 0.3 * prior

    for size in (1e-3, 1e-1):
        for _ in range(20):
            other = best + size * torch.randn_like(best)
            assert objective(other) > objective(best)


def test_proximal_goes_on_from_where_it_stopped() -> None:
    image = torch.randn(1, 1, 9, 8, dtype=torch.float64)
    threshold = torch.full((1, 1, 1, 1), 0.5, dtype=torch.float64)
    exact = TotalVariationProximal(threshold, n_steps=3000)(image)
    warm = TotalVariationProximal(threshold, n_steps=20)
    errors = [(warm(image) - exact).norm().item() for _ in range(5)]
    assert errors[-1] < 0.1 * errors[0]


def test_a_nan_stays_in_its_image() -> None:
    image = torch.zeros(2, 1, 4, 4)
    image[1, 0, 1, 1] = math.nan
    threshold = torch.ones(2, 1, 1, 1)
    result = TotalVariationProximal(threshold, n_steps=3)(image)
    assert result[0].isfinite().all()
    assert result[1].isnan().any()
