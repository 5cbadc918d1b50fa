"""Errors against their definitions, whole and inside a region."""

import math

import pytest
import torch
from skimage.metrics import normalized_root_mse

from mrirecon.metrics import difference_std, nmse, nrmse, psnr

EPS = torch.finfo(torch.float64).eps


@pytest.fixture
def images() -> tuple[torch.Tensor, torch.Tensor]:
    target = torch.rand(3, 12, 9, dtype=torch.float64) + 0.1
    return target + 0.05 * torch.randn_like(target), target


def test_nrmse_equals_scikit_image(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    prediction, target = images
    expected = [
        normalized_root_mse(t.numpy(), p.numpy(), normalization="euclidean")
        for p, t in zip(prediction, target, strict=True)
    ]
    assert nrmse(prediction, target).tolist() == pytest.approx(expected, rel=100 * EPS)


def test_the_deviation_of_the_difference_leaves_a_constant_out(
    images: tuple[torch.Tensor, torch.Tensor],
) -> None:
    prediction, target = images
    expected = (prediction - target).flatten(1).std(1, correction=0)
    assert difference_std(prediction, target).tolist() == pytest.approx(expected.tolist())
    assert difference_std(prediction + 3, target).tolist() == pytest.approx(expected.tolist())


@pytest.mark.parametrize("measure", [nmse, nrmse, difference_std])
def test_a_region_counts_its_own_pixels_only(
    measure: object, images: tuple[torch.Tensor, torch.Tensor]
) -> None:
    """A rectangular region gives what cutting it out gives, whatever lies outside."""
    assert callable(measure)
    prediction, target = images
    region = torch.zeros(12, 9, dtype=torch.bool)
    region[2:7, 3:8] = True
    expected = measure(prediction[:, 2:7, 3:8], target[:, 2:7, 3:8])
    spoilt = prediction.where(region, math.nan)
    assert measure(spoilt, target, region=region).tolist() == pytest.approx(expected.tolist())


def test_psnr_of_a_region_and_of_an_empty_one(
    images: tuple[torch.Tensor, torch.Tensor],
) -> None:
    prediction, target = images
    region = torch.zeros(3, 12, 9, dtype=torch.bool)
    region[0, 2:7, 3:8] = True
    found = psnr(prediction, target, data_range=1.0, region=region)
    expected = psnr(prediction[0, 2:7, 3:8], target[0, 2:7, 3:8], data_range=1.0)
    assert float(found[0]) == pytest.approx(float(expected))
    assert bool(found[1:].isnan().all())


def test_a_wrong_region_is_named(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    prediction, target = images
    with pytest.raises(ValueError, match=r"region: expected dtype bool, got torch.float32"):
        nmse(prediction, target, region=torch.ones(12, 9))
    with pytest.raises(ValueError, match=r"region: expected a shape that broadcasts to \(3, 12"):
        nmse(prediction, target, region=torch.ones(9, 12, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"prediction: expected the target's shape"):
        nmse(prediction[:2], target)
