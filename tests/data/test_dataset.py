from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from sources import random_pixels, save_subjects

from mrirecon.data import PrepareConfig, RawBatch, SliceDataset, SliceStore, prepare
from mrirecon.data.dataset import slice_order


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SliceStore]:
    source = save_subjects(tmp_path / "in", n_subjects=5)
    splits = {"P1": "train", "P2": "train", "P3": "train", "P4": "val", "P5": "test"}
    path = prepare(source, tmp_path / "store.h5", PrepareConfig(splits=splits)).path
    with SliceStore(path) as opened:
        yield opened


def joined(batches: Iterator[RawBatch]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    parts = list(batches)
    images = torch.cat([part.images for part in parts])
    volumes = torch.cat([part.volumes for part in parts])
    return images, volumes, torch.cat([part.slices for part in parts])


@pytest.mark.parametrize("memory_budget", [1 << 20, 0])
def test_a_batch_holds_the_slices_of_its_split_and_says_which(
    store: SliceStore, memory_budget: int
) -> None:
    dataset = SliceDataset(store, "train", memory_budget=memory_budget)
    assert dataset.is_in_memory == (memory_budget > 0)

    batches = list(dataset.batches(5, seed=1, epoch=2, shuffle=True))

    assert [len(batch.images) for batch in batches] == [5, 5, 2]
    assert dataset.n_batches(5) == 3
    for batch in batches:
        assert batch.images.dtype == torch.uint8
        for image, scale, volume, number in zip(
            batch.images, batch.scale, batch.volumes, batch.slices, strict=True
        ):
            subject = int(store.subjects[volume].name[1:])
            volume_pixels = [random_pixels(100 * subject + n) for n in range(1, 5)]
            np.testing.assert_array_equal(image, volume_pixels[number])
            assert scale == np.max(volume_pixels)


def test_memory_and_disk_hand_out_the_same(store: SliceStore) -> None:
    held, read = (SliceDataset(store, "train", memory_budget=budget) for budget in (1 << 20, 0))

    for one, other in zip(
        joined(held.batches(3, seed=4, shuffle=True)),
        joined(read.batches(3, seed=4, shuffle=True)),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_the_order_is_a_function_of_seed_and_epoch(store: SliceStore) -> None:
    dataset = SliceDataset(store, "train")

    def order(seed: int, epoch: int) -> list[tuple[int, int]]:
        _, volumes, slices = joined(dataset.batches(4, seed=seed, epoch=epoch, shuffle=True))
        return list(zip(volumes.tolist(), slices.tolist(), strict=True))

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)
    assert sorted(order(1, 1)) == [(v, s) for v in range(3) for s in range(4)]


def test_the_order_never_changes_between_versions() -> None:
    """A resumed run must see the slices that an uninterrupted one would have seen."""
    assert slice_order(8, seed=3, epoch=5).tolist() == [6, 4, 3, 2, 0, 7, 5, 1]


@pytest.mark.parametrize("memory_budget", [1 << 20, 0])
def test_starting_later_skips_what_was_seen(store: SliceStore, memory_budget: int) -> None:
    dataset = SliceDataset(store, "train", memory_budget=memory_budget)
    whole = list(dataset.batches(5, seed=1, shuffle=True))

    rest = list(dataset.batches(5, seed=1, shuffle=True, start=1))

    assert len(rest) == len(whole) - 1
    assert all(torch.equal(a.images, b.images) for a, b in zip(rest, whole[1:], strict=True))
    assert list(dataset.batches(5, start=3)) == []


def test_a_last_batch_that_is_not_full_can_be_dropped(store: SliceStore) -> None:
    dataset = SliceDataset(store, "train")

    assert [len(b.images) for b in dataset.batches(5, drop_last=True)] == [5, 5]
    assert dataset.n_batches(5, drop_last=True) == 2


def test_without_shuffle_slices_come_in_order(store: SliceStore) -> None:
    _, volumes, slices = joined(SliceDataset(store, "val").batches(3))

    assert (volumes.tolist(), slices.tolist()) == ([3] * 4, [0, 1, 2, 3])


def test_leaving_early_is_allowed(store: SliceStore) -> None:
    dataset = SliceDataset(store, "train", memory_budget=0)

    assert len(next(iter(dataset.batches(2))).images) == 2
    assert len(list(dataset.batches(2))) == 6


def test_wrong_numbers_are_refused(store: SliceStore) -> None:
    dataset = SliceDataset(store, "val")

    with pytest.raises(ValueError, match="batch_size: expected 1 or more, got 0"):
        dataset.batches(0)
    with pytest.raises(ValueError, match="start: expected 0 or more, got -1"):
        dataset.batches(1, start=-1)
    with pytest.raises(ValueError, match="split: expected one in"):
        SliceDataset(store, "holdout")


def test_a_volume_without_a_store_is_a_batch() -> None:
    volume = random_pixels(1, (3, 8, 10), "int16") // 3

    batch = RawBatch.of_volume(volume)

    np.testing.assert_array_equal(batch.images, volume)
    assert batch.scale.tolist() == [volume.max()] * 3
    assert (batch.volumes.tolist(), batch.slices.tolist()) == ([0, 0, 0], [0, 1, 2])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_volume_that_holds_no_magnitudes_is_refused(bad: float) -> None:
    volume = np.ones((2, 3, 3), np.float32)
    volume[1, 1, 1] = bad

    with pytest.raises(ValueError, match="volume: expected finite magnitudes, 0 or more"):
        RawBatch.of_volume(volume)
    with pytest.raises(ValueError, match=r"not all 0, got 0\.0 to 0\.0"):
        RawBatch.of_volume(np.zeros((1, 2, 2), np.float32))
