import numpy as np
import pytest
from numpy.typing import NDArray

from mrirecon.data.noise import kspace_snr, magnitude_snr

N = 128


def complex_noise(seed: int, *shape: int) -> NDArray:
    """Draw complex noise whose real part has the standard deviation 1."""
    return np.random.default_rng(seed).normal(size=(*shape, 2)).view(complex)[..., 0]


def disc() -> NDArray:
    """Draw a disc of 1."""
    rows, cols = np.mgrid[-1 : 1 : N * 1j, -1 : 1 : N * 1j]
    return (np.hypot(rows, cols) < 0.7).astype(float)


def transform(images: NDArray) -> NDArray:
    """Transform (..., rows, cols) to k-space with its centre at n // 2."""
    axes = (-2, -1)
    spectrum = np.fft.fft2(np.fft.ifftshift(images, axes=axes), norm="ortho")
    return np.fft.fftshift(spectrum, axes=axes).astype(np.complex64)


@pytest.mark.parametrize("true", [10, 30, 100])
def test_the_background_of_magnitude_images_tells_the_ratio(true: float) -> None:
    """The smallest of four corners of 144 pixels is low by 1.03 standard deviations of 4 %."""
    images = [np.abs(true * disc() + complex_noise(seed, N, N)) for seed in range(5)]
    found = magnitude_snr(images)
    assert found.value == pytest.approx(true, rel=0.1)
    assert found.method.startswith("background (Rayleigh)")
    assert not found.is_lower_bound


def test_the_signal_of_noisy_magnitudes_is_corrected() -> None:
    """Without the correction the noise would add sqrt(2) to the signal, and 3 would read 3.3."""
    images = [np.abs(3 * np.ones((N, N)) + complex_noise(seed, N, N)) for seed in range(5)]
    for image in images:
        image[:14, :14] = np.abs(complex_noise(9, 14, 14))
    assert magnitude_snr(images).value == pytest.approx(3, rel=0.06)


@pytest.mark.parametrize("hide", ["masked", "rounded", "several coils"])
def test_a_background_that_is_no_noise_of_one_channel_is_not_taken(hide: str) -> None:
    clean, noise = 50 * disc(), complex_noise(0, 8, N, N)
    image = np.abs(clean + noise[0])
    if hide == "masked":
        image = image * (disc() > 0)
    elif hide == "rounded":
        image = (np.abs(clean + 0.3 * noise[0])).astype(np.uint8)
    else:
        image = np.sqrt((np.abs(clean + noise) ** 2).sum(axis=0))
    found = magnitude_snr([image])
    assert found.method.startswith("finest detail")
    assert found.is_lower_bound
    assert found.value is not None


def test_the_finest_detail_of_a_smooth_object_tells_the_ratio() -> None:
    image = np.abs(50 * disc() + complex_noise(0, N, N)) * (disc() > 0)
    assert magnitude_snr([image]).value == pytest.approx(50, rel=0.05)


def test_images_without_noise_or_pixels_have_no_ratio() -> None:
    for image in (np.zeros((64, 64)), np.full((64, 64), 7, np.uint8), np.full((9, 9), np.nan)):
        assert magnitude_snr([image]).value is None


def test_a_noise_scan_tells_the_ratio_of_coils_weighted_by_their_noise() -> None:
    """With noise of 1 and 2 of equal signals 20, the best combination has sqrt(20^2 + 10^2)."""
    strength = np.array([1, 2])[:, None, None]
    kspace = transform(20 * disc() + strength * complex_noise(0, 2, N, N))
    scan = (strength[:, 0] * complex_noise(1, 2, 5000)).astype(np.complex64)
    found = kspace_snr(kspace, scan)
    assert found.value == pytest.approx(np.hypot(20, 10), rel=0.03)
    assert (found.method, found.is_lower_bound) == ("noise scan", False)


def test_the_edge_of_kspace_gives_a_lower_bound_also_with_empty_edges() -> None:
    kspace = transform(20 * disc() + complex_noise(0, 1, N, N))
    kspace[:, :, :20] = 0
    found = kspace_snr(kspace, None)
    assert found.value is not None
    assert 12 < found.value < 21
    assert found.is_lower_bound
    assert kspace_snr(kspace[:, 60:68, 60:68], None).value is None
