from types import ModuleType

import numpy as np
import pytest
from emulator_cases import numbers, run_two_blocks


def test_block_knows_its_ranks(ordered: ModuleType) -> None:
    out = ordered.run_sample("reverse_group", numbers(120), grid=(2, 1, 1), block=(5, 4, 3))
    assert np.array_equal(out, numbers(120).reshape(2, -1)[:, ::-1].ravel())


def test_tiles_reduce_apart(ordered: ModuleType) -> None:
    tiles = numbers().reshape(2, 12, 8)  # (blocks, tiles, threads)
    rank = np.broadcast_to(np.arange(12), (2, 12))
    results = np.stack([tiles.sum(axis=2), tiles.min(axis=2), tiles.max(axis=2), rank], axis=2)
    expected = np.concatenate([results, results], axis=2).ravel()
    assert np.array_equal(run_two_blocks(ordered, "reduce_tiles"), expected)


def test_tiles_shuffle_apart(ordered: ModuleType) -> None:
    tiles = numbers().reshape(-1, 4, 4)  # (groups of four tiles, tiles, threads)
    source = np.array([[2, 2, 2, 2], [0, 0, 1, 2], [1, 2, 3, 3], [3, 2, 1, 0]])
    read = np.take_along_axis(tiles, np.broadcast_to(source, tiles.shape), axis=2)
    expected = (1000 * read + (read + 0.5)).ravel()
    assert np.array_equal(run_two_blocks(ordered, "shuffle_tiles"), expected)


def test_tiles_vote_apart(ordered: ModuleType) -> None:
    positive = numbers().reshape(-1, 2, 8)[:, 0] > 0  # the odd tiles have left
    ballot = (positive << np.arange(8)).sum(axis=1)
    votes = 100000 * (2 * positive.all(axis=1) + positive.any(axis=1)) + ballot
    out = run_two_blocks(ordered, "vote_in_tiles").reshape(-1, 2, 8)
    assert np.array_equal(out[:, 0], np.repeat(votes[:, None], 8, axis=1))
    assert not out[:, 1].any()


def test_a_block_of_parts_of_tiles_is_refused(emulator: ModuleType) -> None:
    text = "tiled_partition: expected a block of whole tiles of 16 threads, got 40"
    with pytest.raises(RuntimeError, match=text):
        emulator.run_sample("uneven_tiles", numbers(40), block=(40, 1, 1))
