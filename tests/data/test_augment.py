import math

import pytest
import torch

from mrirecon.data import AugmentationConfig, RawBatch, augment
from mrirecon.data.augment import _rotate

EVERYTHING = AugmentationConfig(flip=True, rotate=20.0, gamma=2.0, overlay=True)


def make_batch() -> RawBatch:
    images = (200 * torch.rand(3, 12, 9)).to(torch.uint8)
    return RawBatch(images, torch.tensor([200.0, 210.0, 220.0]), torch.arange(3), torch.arange(3))


def test_defaults_hand_the_batch_through() -> None:
    batch = make_batch()
    assert augment(batch, AugmentationConfig(), seed=1) is batch


def test_a_seed_fixes_the_result_and_another_changes_it() -> None:
    batch = make_batch()
    first, again, other = (augment(batch, EVERYTHING, seed=seed).images for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_images_stay_in_their_range_and_the_batch_keeps_its_numbers() -> None:
    batch = make_batch()
    for seed in range(20):
        varied = augment(batch, EVERYTHING, seed=seed)
        assert varied.images.dtype == torch.float32
        assert varied.images.is_contiguous()
        assert varied.images.min() >= 0
        assert varied.images.max() <= 1
        assert torch.equal(varied.scale, torch.ones(3))
        assert varied.volumes is batch.volumes


def test_flips_only_move_pixels_and_every_arrangement_comes() -> None:
    batch = make_batch()
    plain = batch.images.float() / batch.scale[:, None, None]
    seen = set()
    for seed in range(100):
        images = augment(batch, AugmentationConfig(flip=True), seed=seed).images
        assert torch.equal(images.flatten().sort().values, plain.flatten().sort().values)
        seen.add((images.shape, images[0, 0, 0].item()))
    assert len(seen) == 8  # the four mirrorings, upright and lying


def test_gamma_is_a_power_within_its_limits() -> None:
    batch = make_batch()
    plain = batch.images[0, 5, 5].item() / 200
    powers = []
    for seed in range(50):
        images = augment(batch, AugmentationConfig(gamma=2.0), seed=seed).images
        powers.append(math.log(images[0, 5, 5].item()) / math.log(plain))
    assert 0.5 <= min(powers) < 0.7
    assert 1.4 < max(powers) <= 2.0


def test_an_overlay_adds_and_never_takes_away() -> None:
    batch = make_batch()
    plain = batch.images.float() / batch.scale[:, None, None]
    images = augment(batch, AugmentationConfig(overlay=True), seed=4).images
    assert (images >= plain).all()
    assert (images > plain).any()


def test_rejects_a_gamma_that_is_no_range() -> None:
    for gamma in (0.5, math.inf, math.nan):
        with pytest.raises(ValueError, match=r"gamma: expected a finite number, 1 or more, got"):
            AugmentationConfig(gamma=gamma)


def coil_batch() -> RawBatch:
    images = torch.randn(2, 3, 12, 9, dtype=torch.complex64)
    return RawBatch(images, torch.tensor([4.0, 5.0]), torch.arange(2), torch.arange(2))


def test_a_quarter_turn_moves_pixels_about_the_centre() -> None:
    image = torch.rand(1, 9, 9)
    for shape in ((1, 9, 9), (1, 2, 9, 9)):
        turned = _rotate(image.expand(shape), math.pi / 2)
        assert turned.shape == shape
        torch.testing.assert_close(
            turned[0, ..., :, :], torch.rot90(image, 1, (1, 2)).expand(shape)[0]
        )


def test_a_turned_image_is_the_one_that_was_drawn_turned() -> None:
    row, col = (torch.arange(n) - n // 2.0 for n in (64, 48))
    angle = 0.4

    def blob(row: torch.Tensor, col: torch.Tensor) -> torch.Tensor:
        return torch.exp(-((row - 6) ** 2) / 60 - (col + 4) ** 2 / 30)

    straight = blob(row[:, None], col)[None]
    there_row = math.cos(angle) * row[:, None] + math.sin(angle) * col
    there_col = math.cos(angle) * col - math.sin(angle) * row[:, None]
    # bilinear: a sixteenth of the second derivatives, 2 / 30 + 2 / 60, in the worst place an eighth
    torch.testing.assert_close(
        _rotate(straight, angle)[0], blob(there_row, there_col), atol=0.1 / 8, rtol=0
    )


def test_angles_are_drawn_up_to_the_largest_one() -> None:
    batch = make_batch()
    varied = [augment(batch, AugmentationConfig(rotate=30), seed=seed).images for seed in (1, 1, 2)]
    assert torch.equal(varied[0], varied[1])
    assert not torch.equal(varied[0], varied[2])
    assert varied[0].min() >= 0
    assert varied[0].max() <= 1


def test_complex_images_are_varied_whole() -> None:
    batch = coil_batch()
    plain = batch.images / batch.scale[:, None, None, None]
    config = AugmentationConfig(flip=True, rotate=20, gamma=2.0)
    varied = augment(batch, config, seed=3)
    assert varied.images.dtype == torch.complex64
    assert torch.equal(varied.scale, torch.ones(2))

    contrast = augment(batch, AugmentationConfig(gamma=2.0), seed=3).images
    power = 2.0 ** (2 * torch.rand(8, generator=torch.Generator().manual_seed(3))[3].item() - 1)
    root, changed = (x.abs().square().sum(1).sqrt() for x in (plain, contrast))
    torch.testing.assert_close(changed, root**power)
    torch.testing.assert_close(contrast.angle(), plain.angle())

    turned = _rotate(plain, 0.3)
    torch.testing.assert_close(turned.real[:, 1], _rotate(plain.real[:, 1], 0.3))
    torch.testing.assert_close(turned.imag[:, 2], _rotate(plain.imag[:, 2], 0.3))


def test_rejects_an_overlay_of_complex_images_and_angles_that_are_none() -> None:
    with pytest.raises(ValueError, match="overlay: expected magnitudes, got complex images"):
        augment(coil_batch(), AugmentationConfig(overlay=True), seed=1)
    for angle in (-1.0, 181.0, math.nan):
        with pytest.raises(ValueError, match="rotate: expected 0 to 180 degrees, got"):
            AugmentationConfig(rotate=angle)
