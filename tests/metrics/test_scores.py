"""The protocols against scikit-image, against each other, and against wrong inputs."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from mrirecon.metrics import (
    PROTOCOLS,
    Protocol,
    get_protocol,
    measure_slices,
    nmse,
    pool,
    psnr,
    score_volume,
)

EPS = torch.finfo(torch.float64).eps


@pytest.fixture
def volume() -> torch.Tensor:
    """Five slices of an ellipsoid with structure, brightest in the middle, (5, 48, 40)."""
    z, y, x = torch.meshgrid(
        torch.linspace(-0.8, 0.8, 5, dtype=torch.float64),
        torch.linspace(-1, 1, 48, dtype=torch.float64),
        torch.linspace(-1, 1, 40, dtype=torch.float64),
        indexing="ij",
    )
    inside = (z**2 + y**2 + x**2 < 0.95).double()
    structure = 1 + 0.3 * torch.sin(9 * x) * torch.cos(7 * y)
    return inside * structure * (1 - 0.6 * z.abs())


@pytest.fixture
def zero_filled(volume: torch.Tensor) -> torch.Tensor:
    """The volume from every fourth line and eight central ones."""
    kspace = torch.fft.fftshift(torch.fft.fft2(volume), (-2, -1))
    mask = torch.zeros(40, dtype=torch.bool)
    mask[::4] = True
    mask[16:24] = True
    return torch.fft.ifft2(torch.fft.ifftshift(kspace * mask, (-2, -1))).abs()


def test_psnr_equals_scikit_image(volume: torch.Tensor, zero_filled: torch.Tensor) -> None:
    peak = float(volume.max())
    expected = peak_signal_noise_ratio(volume.numpy(), zero_filled.numpy(), data_range=peak)
    computed = psnr(zero_filled, volume, data_range=peak, dims=(-3, -2, -1))
    assert float(computed) == pytest.approx(expected, rel=100 * EPS)


def test_psnr_takes_one_data_range_for_each_slice(
    volume: torch.Tensor, zero_filled: torch.Tensor
) -> None:
    peaks = volume.amax((-2, -1))
    expected = [
        peak_signal_noise_ratio(one.numpy(), other.numpy(), data_range=float(peak))
        for one, other, peak in zip(volume, zero_filled, peaks, strict=True)
    ]
    computed = psnr(zero_filled, volume, data_range=peaks)
    assert computed.tolist() == pytest.approx(expected, rel=100 * EPS)


def test_psnr_of_equal_images_is_infinite(volume: torch.Tensor) -> None:
    assert bool(psnr(volume, volume, data_range=1.0).isinf().all())


def test_nmse_is_the_squared_relative_distance(
    volume: torch.Tensor, zero_filled: torch.Tensor
) -> None:
    expected = [
        np.linalg.norm(other.numpy() - one.numpy()) ** 2 / np.linalg.norm(one.numpy()) ** 2
        for one, other in zip(volume, zero_filled, strict=True)
    ]
    assert nmse(zero_filled, volume).tolist() == pytest.approx(expected, rel=100 * EPS)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_volume_score_equals_scikit_image(
    volume: torch.Tensor, zero_filled: torch.Tensor, protocol: Protocol
) -> None:
    peak = float(volume.max())
    by_slice = protocol.range_of == "slice"
    ranges = volume.amax((-2, -1)) if by_slice else torch.full((5,), peak, dtype=volume.dtype)
    is_gaussian = protocol.window == "gaussian"
    window = (
        {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        if is_gaussian
        else {}
    )
    expected = np.mean(
        [
            structural_similarity(one.numpy(), other.numpy(), data_range=float(top), **window)
            for one, other, top in zip(volume, zero_filled, ranges, strict=True)
        ]
    )
    score = score_volume(zero_filled, volume, data_range=peak, protocol=protocol)
    assert score.ssim == pytest.approx(expected, abs=1e-12)
    is_pooled = protocol.errors_over == "volume"
    dims = (-3, -2, -1) if is_pooled else (-2, -1)
    data_range = peak if is_pooled else ranges
    expected_psnr = psnr(zero_filled, volume, data_range=data_range, dims=dims).mean()
    assert score.psnr == pytest.approx(float(expected_psnr), rel=100 * EPS)
    expected_nmse = nmse(zero_filled, volume, dims=dims).mean()
    assert score.nmse == pytest.approx(float(expected_nmse), rel=100 * EPS)


def test_the_same_images_score_differently_by_protocol_and_data_range(
    volume: torch.Tensor, zero_filled: torch.Tensor
) -> None:
    """Ranks one volume's scores, since numbers of different protocols are not comparable."""
    fastmri, per_slice, gaussian = (get_protocol(n) for n in ("fastmri", "per_slice", "wang2004"))
    peak = float(volume.max())
    ssim_of = {
        "volume maximum": score_volume(zero_filled, volume, data_range=peak, protocol=fastmri).ssim,
        "slice maximum": float(
            measure_slices(
                zero_filled, volume, data_range=volume.amax((-2, -1)), protocol=per_slice
            ).ssim.mean()
        ),
        "wang2004": score_volume(zero_filled, volume, data_range=peak, protocol=gaussian).ssim,
        "range 2": score_volume(zero_filled, volume, data_range=2.0, protocol=fastmri).ssim,
        "range 1 on data of scale 1e-4": score_volume(
            1e-4 * zero_filled, 1e-4 * volume, data_range=1.0, protocol=fastmri
        ).ssim,
    }
    assert ssim_of["slice maximum"] < ssim_of["volume maximum"] < ssim_of["range 2"]
    assert ssim_of["range 2"] < ssim_of["range 1 on data of scale 1e-4"]
    assert ssim_of["range 1 on data of scale 1e-4"] == pytest.approx(1.0, abs=1e-3)
    assert abs(ssim_of["wang2004"] - ssim_of["volume maximum"]) > 1e-3
    over_volume = score_volume(zero_filled, volume, data_range=peak, protocol=fastmri).psnr
    over_slices = score_volume(zero_filled, volume, data_range=peak, protocol=per_slice).psnr
    assert over_volume < over_slices  # the logarithm of a mean against the mean of logarithms


def test_pooling_one_slice_gives_that_slices_score(
    volume: torch.Tensor, zero_filled: torch.Tensor
) -> None:
    measures = measure_slices(
        zero_filled[2], volume[2], data_range=1.5, protocol=get_protocol("per_slice")
    )
    numbers = [[float(values)] for values in measures[:3]]
    score = pool(*numbers, n_pixels=volume[2].numel(), data_range=1.5)
    assert score.psnr == pytest.approx(float(psnr(zero_filled[2], volume[2], data_range=1.5)))
    assert score.nmse == pytest.approx(float(nmse(zero_filled[2], volume[2])))


def test_pooling_equal_images_gives_infinite_psnr() -> None:
    score = pool([1.0], [0.0], [2.0], n_pixels=4, data_range=1.0)
    assert score == (1.0, math.inf, 0.0)


@pytest.mark.parametrize("argument", ["prediction", "target"])
def test_nan_is_refused_by_the_name_of_its_image(volume: torch.Tensor, argument: str) -> None:
    broken = volume.clone()
    broken[1, 2, 3] = math.nan
    images = {"prediction": volume, "target": volume} | {argument: broken}
    with pytest.raises(ValueError, match=rf"^{argument}: expected finite values, got NaN or Inf"):
        score_volume(**images, data_range=1.0, protocol=get_protocol("fastmri"))


def test_blank_slice_is_refused_where_slices_are_scored(volume: torch.Tensor) -> None:
    blank = volume.clone()
    blank[3] = 0
    with pytest.raises(ValueError, match="got zero everywhere in slice 3"):
        score_volume(volume, blank, data_range=1.0, protocol=get_protocol("per_slice"))
    assert score_volume(volume, blank, data_range=1.0, protocol=get_protocol("fastmri")).nmse > 0


def test_different_shapes_are_refused(volume: torch.Tensor) -> None:
    message = r"prediction: expected the target's shape \(5, 48, 40\), got \(4, 48, 40\)"
    for compute in (
        lambda: psnr(volume[:4], volume, data_range=1.0),
        lambda: nmse(volume[:4], volume),
        lambda: measure_slices(volume[:4], volume, data_range=1.0, protocol=PROTOCOLS[0]),
    ):
        with pytest.raises(ValueError, match=message):
            compute()


def test_unknown_protocol_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        ValueError,
        match=r"one of fastmri, .*, reconresnet, got 'knee'",
    ):
        get_protocol("knee")
