import math

import pytest
import torch

from mrirecon.data import AugmentationConfig, RawBatch, augment

EVERYTHING = AugmentationConfig(flip=True, gamma=2.0, overlay=True)


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
