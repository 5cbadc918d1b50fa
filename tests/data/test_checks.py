import numpy as np
import pytest
from numpy.typing import NDArray
from sources import random_pixels

from mrirecon.data.checks import (
    LOOK_ALIKE,
    digest,
    find_look_alikes,
    find_spectrum_drops,
    thumbnail,
)


def zero_padded(image: NDArray, shape: tuple[int, int]) -> NDArray:
    """Interpolate an image by zeros around its k-space."""
    spectrum = np.fft.fftshift(np.fft.fft2(image))
    before = [wanted // 2 - n // 2 for wanted, n in zip(shape, image.shape, strict=True)]
    after = [wanted - n - b for wanted, n, b in zip(shape, image.shape, before, strict=True)]
    padded = np.pad(spectrum, tuple(zip(before, after, strict=True)))
    return np.abs(np.fft.ifft2(np.fft.ifftshift(padded)))


@pytest.mark.parametrize(
    ("change", "is_alike"),
    [
        (lambda image: image * 3.0 + 7, True),
        (lambda image: image.astype(np.float32) ** 1.2, True),
        (lambda image: image + np.random.default_rng(0).normal(size=image.shape) * 10, True),
        (lambda image: image.repeat(2, axis=0).repeat(3, axis=1), True),
        (lambda image: image[:, ::-1], False),
        (lambda image: np.roll(image, 9, axis=0), False),
    ],
)
def test_a_digest_knows_an_image_after_changes_of_contrast_noise_and_size(
    change: object, is_alike: bool
) -> None:
    image = random_pixels(1, (64, 96))
    likeness = float(digest(image) @ digest(change(image)))  # type: ignore[operator]
    assert (likeness > LOOK_ALIKE) == is_alike


def test_digests_of_small_blank_and_broken_slices_are_finite() -> None:
    broken = np.full((40, 40), np.nan)
    for image in (np.zeros((8, 8)), broken, random_pixels(1, (3, 5)), np.full((9, 9), 7)):
        assert np.isfinite(digest(image)).all()
    assert not digest(np.zeros((8, 8))).any()


def test_the_best_pair_of_two_owners_is_given_once_and_none_of_one_owner() -> None:
    digests = np.stack([digest(random_pixels(seed, (64, 64))) for seed in range(5)])
    digests[3] = 0.999 * digests[0]
    digests[4] = digests[0]
    digests[2] = digests[1]

    found = find_look_alikes(digests, np.array([7, 3, 3, 8, 8]))

    assert found == [(0, 4, pytest.approx(1.0))]


def test_pairs_are_found_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrirecon.data.checks._BLOCK", 2)
    digests = np.stack([digest(random_pixels(seed, (64, 64))) for seed in (0, 1, 2, 3, 0)])

    assert [pair[:2] for pair in find_look_alikes(digests, np.arange(5))] == [(0, 4)]


@pytest.mark.parametrize(("shape", "axes"), [((64, 96), ["cols"]), ((90, 96), ["rows", "cols"])])
def test_zero_padding_is_found_along_its_axis(shape: tuple[int, int], axes: list[str]) -> None:
    images = [zero_padded(random_pixels(seed, (64, 64)), shape) for seed in range(3)]

    drops = find_spectrum_drops(images)

    assert [drop.axis for drop in drops] == axes
    # The folded spectrum is told to a few lines: the cliff's window is 3 of 48 lines or wider.
    assert drops[-1].extent == pytest.approx(64 / 96, abs=0.08)
    assert drops[-1].factor > 5


def test_native_smooth_and_empty_images_have_no_drop() -> None:
    rows, cols = np.mgrid[-1:1:64j, -1:1:64j]
    noise = random_pixels(1, (64, 64))
    blob = np.exp(-8 * (rows**2 + cols**2))
    disc = 200 / (1 + np.exp(30 * (np.hypot(rows, cols) - 0.6)))
    for image in (noise, blob, disc.astype(np.uint8), np.zeros((64, 64)), noise[:5, :7]):
        assert find_spectrum_drops([image]) == ()


def test_thumbnails_are_small_and_grey_to_the_upper_value() -> None:
    image = np.zeros((200, 300))
    image[100:, 150:] = 50.0
    small = thumbnail(image, upper=50.0)
    assert (small.shape, small.dtype) == ((50, 75), np.uint8)
    assert (small[0, 0], small[-1, -1]) == (0, 255)
    assert not thumbnail(np.zeros((8, 8)), upper=0.0).any()
    assert thumbnail(np.full((1, 400), 9.0), upper=9.0).shape[0] == 1
