"""The plain PyTorch SSIM against scikit-image."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from mrirecon.reference import ssim as reference

SKIMAGE_OPTIONS = {
    "uniform": {"win_size": 7},
    "gaussian": {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
}


@pytest.fixture
def image_pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    target = torch.rand(2, 3, 23, 30, generator=generator, dtype=torch.float64)
    noise = torch.randn(target.shape, generator=generator, dtype=torch.float64)
    return target + 0.2 * noise, target


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_reference_equals_scikit_image(
    window: reference.WindowName, image_pair: tuple[Tensor, Tensor]
) -> None:
    prediction, target = image_pair
    data_range = 1 + torch.arange(3, dtype=torch.float64)  # one for each image, broadcast over 2
    found_map = reference.ssim_map(prediction, target, data_range=data_range, window=window)
    found = reference.ssim(prediction, target, data_range=data_range, window=window)
    for index in np.ndindex(2, 3):
        expected, expected_map = structural_similarity(
            target[index].numpy(),
            prediction[index].numpy(),
            data_range=float(data_range[index[-1]]),
            full=True,
            **SKIMAGE_OPTIONS[window],
        )
        margin = 3 if window == "uniform" else 5  # scikit-image pads; its own mean crops this
        inner = expected_map[margin:-margin, margin:-margin]
        np.testing.assert_allclose(found_map[index].numpy(), inner, atol=1e-12, rtol=0)
        assert abs(found[index].item() - expected) < 1e-12


def test_reference_names_an_unknown_window(image_pair: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(ValueError, match="window: expected 'uniform' or 'gaussian', got 'box'"):
        reference.ssim(*image_pair, data_range=1.0, window="box")  # type: ignore[arg-type]
