"""Protocols on 32 slices of 320 x 320 against scikit-image, fastMRI's formulas and torchmetrics."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.metrics import normalized_root_mse, peak_signal_noise_ratio, structural_similarity
from torch import Tensor
from torchmetrics.functional import image as torchmetrics

from mrirecon.metrics import (
    PROTOCOLS,
    Protocol,
    get_protocol,
    measure_slices,
    ms_ssim,
    nrmse,
    psnr,
    score_volume,
    slice_ranges,
    uqi,
)

N_SLICES, SIZE = 32, 320
WINDOWS = {
    "uniform": {},
    "gaussian": {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
}


@pytest.fixture(scope="module")
def volumes() -> tuple[Tensor, Tensor]:
    """A volume with smooth, flat and dark parts, and one with an error of 3 %, float64."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(N_SLICES, 1, 20, 20, generator=generator, dtype=torch.float64)
    target = torch.nn.functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic")[:, 0]
    target = (
        target.clamp(0, 1) * torch.linspace(0.3, 1, N_SLICES, dtype=torch.float64)[:, None, None]
    )
    noise = torch.randn(target.shape, generator=generator, dtype=torch.float64)
    return (target + 0.03 * noise).clamp_min(0), target


@pytest.fixture(scope="module")
def similarities(volumes: tuple[Tensor, Tensor]) -> dict[tuple[str, str], NDArray[np.float64]]:
    """SSIM of each slice by scikit-image in float64, by window and what the range is of."""
    prediction, target = volumes
    ranges = {"volume": torch.ones(N_SLICES), "slice": slice_ranges(target)}
    return {
        (window, of): np.array(
            [
                structural_similarity(y.numpy(), x.numpy(), data_range=float(top), **options)
                for x, y, top in zip(prediction, target, tops, strict=True)
            ]
        )
        for window, options in WINDOWS.items()
        for of, tops in ranges.items()
        if (window, of) != ("gaussian", "slice")
    }


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_ssim_of_every_protocol_equals_scikit_image(
    volumes: tuple[Tensor, Tensor],
    similarities: dict[tuple[str, str], NDArray[np.float64]],
    protocol: Protocol,
    dtype: torch.dtype,
) -> None:
    prediction, target = (volume.to(dtype) for volume in volumes)
    ranges = slice_ranges(target) if protocol.range_of == "slice" else target.new_ones(N_SLICES)
    of_ssim = replace(protocol, metrics=("ssim",))
    measures = measure_slices(prediction, target, data_range=ranges, protocol=of_ssim)
    expected = similarities[protocol.window, protocol.range_of]
    error = np.abs(measures.ssim.double().numpy() - expected).max()
    assert error < (1e-12 if dtype == torch.float64 else 1e-6)


def test_fastmri_equals_the_formulas_of_its_package(volumes: tuple[Tensor, Tensor]) -> None:
    """As its evaluate.py computes them: NMSE and PSNR of the volume, mean SSIM of slices."""
    prediction, target = (volume.numpy() for volume in volumes)
    top = float(target.max())
    score = score_volume(*volumes, data_range=top, protocol=get_protocol("fastmri"))
    nmse = np.linalg.norm(target - prediction) ** 2 / np.linalg.norm(target) ** 2
    assert score.nmse == pytest.approx(nmse, rel=1e-12)
    expected = peak_signal_noise_ratio(target, prediction, data_range=top)
    assert score.psnr == pytest.approx(expected, rel=1e-12)
    similarity = np.mean(
        [
            structural_similarity(one, other, data_range=top)
            for one, other in zip(target, prediction, strict=True)
        ]
    )
    assert score.ssim == pytest.approx(similarity, abs=1e-12)


def test_errors_of_every_slice_equal_scikit_image(volumes: tuple[Tensor, Tensor]) -> None:
    prediction, target = volumes
    pairs = list(zip(target.numpy(), prediction.numpy(), strict=True))
    expected = [peak_signal_noise_ratio(*pair, data_range=1.0) for pair in pairs]
    assert psnr(prediction, target, data_range=1.0).tolist() == pytest.approx(expected, rel=1e-12)
    expected = [normalized_root_mse(*pair) for pair in pairs]
    assert nrmse(prediction, target).tolist() == pytest.approx(expected, rel=1e-12)


def of_each(measure: Callable[[Tensor, Tensor], Tensor], volumes: tuple[Tensor, Tensor]) -> Tensor:
    pairs = zip(*volumes, strict=True)
    return torch.stack([measure(x[None, None], y[None, None]) for x, y in pairs])


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_ssim_and_psnr_equal_torchmetrics(
    volumes: tuple[Tensor, Tensor], dtype: torch.dtype, tolerance: float
) -> None:
    """Its map without the mirrored edges; in float64, since in float32 it subtracts squares."""
    prediction, target = (volume[::8].to(dtype) for volume in volumes)
    found = measure_slices(prediction, target, data_range=1.0, protocol=get_protocol("wang2004"))
    pair = (prediction.double(), target.double())
    torch.testing.assert_close(
        found.ssim.double(), of_each(ssim_of_torchmetrics, pair), rtol=0, atol=tolerance
    )
    theirs = of_each(lambda x, y: torchmetrics.peak_signal_noise_ratio(x, y, data_range=1.0), pair)
    ours = psnr(prediction, target, data_range=1.0)
    rounding = 1e-7  # torchmetrics takes logarithms of constants in float32
    torch.testing.assert_close(ours, theirs, rtol=max(tolerance, rounding), atol=0)


def ssim_of_torchmetrics(prediction: Tensor, target: Tensor) -> Tensor:
    _, similarity = torchmetrics.structural_similarity_index_measure(
        prediction, target, data_range=1.0, return_full_image=True
    )
    return similarity[..., 5:-5, 5:-5].mean()


@pytest.mark.parametrize("metric", [lambda x, y: ms_ssim(x, y, data_range=1.0), uqi])
def test_float32_images_score_as_float64_ones(
    volumes: tuple[Tensor, Tensor], metric: Callable[[Tensor, Tensor], Tensor]
) -> None:
    pair = tuple(volume[::8] for volume in volumes)
    rounded = tuple(volume.float().double() for volume in pair)
    found = metric(*(volume.float() for volume in pair)).double()
    torch.testing.assert_close(found, metric(*rounded), rtol=0, atol=1e-6)
    assert not math.isnan(float(found.sum()))
