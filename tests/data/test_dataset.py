from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from sources import random_pixels, save_picture, save_subjects

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


def test_a_batch_holds_the_slices_of_its_split_and_says_which(store: SliceStore) -> None:
    dataset = SliceDataset(store, "train")

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


def test_starting_later_skips_what_was_seen(store: SliceStore) -> None:
    dataset = SliceDataset(store, "train")
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
    dataset = SliceDataset(store, "train")

    assert len(next(iter(dataset.batches(2))).images) == 2
    assert len(list(dataset.batches(2))) == 6


def test_few_slices_of_each_volume_stand_at_even_distances(mixed: SliceStore) -> None:
    every = places(SliceDataset(mixed, "train").batches(1))
    few = places(SliceDataset(mixed, "train", per_volume=2).batches(1))
    assert few == sorted(few, key=every.index)
    volumes = {volume for ((volume, _),) in every}
    for volume in volumes:
        own = [place for place in every if place[0][0] == volume]
        kept = [place for place in few if place[0][0] == volume]
        assert kept == [own[len(own) // 4], own[3 * len(own) // 4]]
    with pytest.raises(ValueError, match="per_volume: expected 1 or more, got 0"):
        SliceDataset(mixed, "train", per_volume=0)


def test_wrong_numbers_are_refused(store: SliceStore) -> None:
    dataset = SliceDataset(store, "val")

    with pytest.raises(ValueError, match="batch_size: expected 1 or more, got 0"):
        dataset.batches(0)
    with pytest.raises(ValueError, match="start: expected 0 or more, got -1"):
        dataset.batches(1, start=-1)
    with pytest.raises(ValueError, match="split: expected one in"):
        SliceDataset(store, "holdout")


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[SliceStore]:
    """Give a store whose slices have two shapes, 12 of 8 x 10 and 5 of 6 x 7."""
    source = save_subjects(tmp_path / "in", n_subjects=3)
    for number in range(5):
        save_picture(source / "P4" / f"P4_{number}.png", random_pixels(number, (6, 7)))
    path = prepare(source, tmp_path / "store.h5", PrepareConfig(splits="train")).path
    with SliceStore(path) as opened:
        yield opened


def places(batches: Iterator[RawBatch]) -> list[list[tuple[int, int]]]:
    return [
        list(zip(batch.volumes.tolist(), batch.slices.tolist(), strict=True)) for batch in batches
    ]


def test_a_batch_comes_from_one_bucket_and_batches_of_all_are_mixed(mixed: SliceStore) -> None:
    dataset = SliceDataset(mixed, "train")

    seen = []
    for epoch in range(3):
        batches = list(dataset.batches(2, seed=1, epoch=epoch, shuffle=True))
        assert len(batches) == dataset.n_batches(2) == 9
        seen.append([batch.images.shape[1] for batch in batches])
        everything = sorted(chain.from_iterable(places(iter(batches))))
        assert everything == sorted(
            [(volume, number) for volume in range(3) for number in range(4)]
            + [(3, number) for number in range(5)]
        )
    assert seen[0] != seen[1]
    assert any(epoch != sorted(epoch) and epoch != sorted(epoch)[::-1] for epoch in seen)
    assert dataset.n_batches(2, drop_last=True) == 8


@pytest.mark.parametrize("world_size", [2, 4, 8])
@pytest.mark.parametrize("drop_last", [False, True])
def test_ranks_share_out_the_batches_of_one_process(
    mixed: SliceStore, world_size: int, drop_last: bool
) -> None:
    size = 8 // world_size
    alone = places(
        SliceDataset(mixed, "train").batches(8, seed=2, shuffle=True, drop_last=drop_last)
    )
    ranks = []
    for rank in range(world_size):
        dataset = SliceDataset(mixed, "train", rank=rank, world_size=world_size)
        batches = places(dataset.batches(size, seed=2, shuffle=True, drop_last=drop_last))
        assert len(batches) == dataset.n_batches(size, drop_last=drop_last)
        ranks.append(batches)

    if drop_last:
        assert [list(chain.from_iterable(step)) for step in zip(*ranks, strict=True)] == alone
    else:
        assert sorted(chain.from_iterable(chain.from_iterable(ranks))) == sorted(
            chain.from_iterable(alone)
        )


def test_a_rank_that_does_not_exist_is_refused(mixed: SliceStore) -> None:
    with pytest.raises(ValueError, match="rank: expected 0 to world_size - 1 = 1, got 2"):
        SliceDataset(mixed, "train", rank=2, world_size=2)


def test_the_map_outlives_a_store_that_is_closed_while_a_batch_is_held(mixed: SliceStore) -> None:
    batch = next(iter(SliceDataset(mixed, "train").batches(2)))
    before = batch.images.clone()
    mixed.close()
    assert torch.equal(batch.images, before)


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
