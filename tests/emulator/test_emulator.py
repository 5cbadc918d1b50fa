from types import ModuleType

import numpy as np
import pytest
from emulator_cases import ORDERS, numbers, run_two_blocks


def test_every_thread_of_every_block_runs_once(ordered: ModuleType) -> None:
    grid, block = (3, 2, 2), (4, 3, 5)
    n = int(np.prod(grid) * np.prod(block))
    out = ordered.run_sample("write_position", numbers(n), grid=grid, block=block)
    assert out.tolist() == list(range(n))


def test_barriers_order_shared_memory(ordered: ModuleType) -> None:
    blocks = numbers().reshape(2, -1)
    assert np.array_equal(run_two_blocks(ordered, "reverse_block"), blocks[:, ::-1].ravel())
    rotated = np.roll(blocks, -3, axis=1).ravel()
    assert np.array_equal(run_two_blocks(ordered, "rotate_block"), rotated)


def test_shuffles_scan_a_warp(ordered: ModuleType) -> None:
    expected = numbers().reshape(-1, 32).cumsum(axis=1).ravel()
    assert np.array_equal(run_two_blocks(ordered, "sum_up_to_lane"), expected)


def test_shuffles_keep_to_parts_of_a_warp(ordered: ModuleType) -> None:
    parts = numbers(128).reshape(4, 4, 8)  # (warps, parts of a warp, lanes of a part)
    lane, warp_lane = np.arange(8), np.arange(32)
    # An xor may read a lower part; where it points to a higher one the lane keeps its own value.
    partner = np.where((warp_lane ^ 13) // 8 > warp_lane // 8, warp_lane, warp_lane ^ 13)
    expected = [
        parts[0][:, [3] * 8],
        parts[1][:, np.where(lane < 2, lane, lane - 2)],
        parts[2][:, np.where(lane > 5, lane, lane + 2)],
        parts[3].ravel()[partner].reshape(4, 8),
    ]
    out = ordered.run_sample("shuffle_in_parts", numbers(128), block=(128, 1, 1))
    assert np.array_equal(out, np.stack(expected).ravel())


def test_votes_count_the_lanes_of_their_mask(ordered: ModuleType) -> None:
    positive = numbers().reshape(-1, 2, 16) > 0  # (warps, halves, lanes)
    lower, upper = positive[:, :1].sum(axis=2), positive[:, 1:]
    expected = np.repeat(np.concatenate([lower, 2 * upper.any(2) + upper.all(2)], axis=1), 16)
    assert np.array_equal(run_two_blocks(ordered, "vote_in_halves"), expected)


@pytest.mark.parametrize("n_positive", [0, 1, 63, 64])
def test_barrier_counts_votes(ordered: ModuleType, n_positive: int) -> None:
    votes = np.random.default_rng(2).permutation(np.arange(64) < n_positive).astype(np.float32)
    out = ordered.run_sample("vote_at_barrier", votes, block=(64, 1, 1))
    assert (out == 1000 * (n_positive == 64) + 100 * (n_positive > 0) + n_positive).all()


def test_match_finds_equal_lanes(ordered: ModuleType) -> None:
    tens = np.trunc(numbers().reshape(-1, 32) / 10)
    expected = (tens[:, :, None] == tens[:, None, :]).sum(axis=2).ravel()
    assert np.array_equal(run_two_blocks(ordered, "count_equal_lanes"), expected)


def test_bits_are_counted_as_by_cuda(emulator: ModuleType) -> None:
    expected = []
    for i, number in enumerate(numbers(96).astype(int).tolist()):
        width = 32 if i % 6 < 3 else 64
        bits = f"{(number << (0 if width == 32 else 20)) % 2**width:0{width}b}"
        lowest = width - bits.rindex("1") if "1" in bits else 0
        expected.append([bits.count("1"), lowest, len(bits) - len(bits.lstrip("0"))][i % 3])
    out = emulator.run_sample("count_bits", numbers(96), block=(96, 1, 1))
    assert out.tolist() == expected


def test_syncwarp_orders_shared_memory_within_a_warp(ordered: ModuleType) -> None:
    expected = numbers().reshape(-1, 2)[:, ::-1].ravel()
    assert np.array_equal(run_two_blocks(ordered, "swap_neighbours"), expected)


def test_blocks_run_in_the_order_that_is_set(emulator: ModuleType) -> None:
    turns = {}
    for order in ORDERS:
        emulator.configure(order=order)
        out = emulator.run_sample("number_blocks", numbers(25), grid=(2, 3, 4))
        turns[order] = out[:24].tolist()
    assert turns["forward"] == list(range(24))
    assert turns["reverse"] == list(range(24))[::-1]
    assert turns["random"] not in (turns["forward"], turns["reverse"])
    assert sorted(turns["random"]) == turns["forward"]


def test_partial_warp_takes_part_in_warp_operations(ordered: ModuleType) -> None:
    out = ordered.run_sample("sum_up_to_lane", numbers(40), block=(40, 1, 1))
    assert np.array_equal(
        out, np.concatenate([numbers(40)[:32].cumsum(), numbers(40)[32:].cumsum()])
    )


@pytest.mark.parametrize("name", ["missing_barrier", "missing_second_barrier"])
def test_missing_barrier_gives_results_that_differ_between_orders(
    emulator: ModuleType, name: str
) -> None:
    expected = numbers().reshape(2, -1)[:, ::-1].ravel()
    for order in ORDERS:
        emulator.configure(order=order)
        assert not np.array_equal(run_two_blocks(emulator, name), expected)


def test_random_order_repeats_for_one_seed(emulator: ModuleType) -> None:
    results = []
    for seed in (5, 5, 6):
        emulator.configure(order="random", seed=seed)
        results.append(run_two_blocks(emulator, "missing_barrier"))
    assert np.array_equal(results[0], results[1], equal_nan=True)
    assert not np.array_equal(results[0], results[2], equal_nan=True)


def test_uninitialised_shared_memory_is_nan_unless_poison_is_off(emulator: ModuleType) -> None:
    assert np.isnan(run_two_blocks(emulator, "uninitialised_shared")).all()
    emulator.configure(poison=False)
    assert not run_two_blocks(emulator, "uninitialised_shared").any()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("divergent_barrier", "divergent barrier: it waits at "),
        ("exit_before_barrier", "thread (16, 0, 0): exited before the __syncthreads() at "),
        ("wait_for_each_other", "deadlock: a warp operation waits for lanes that do not enter it"),
        ("lane_outside_its_mask", "is not in the mask of its own warp operation"),
        ("shuffle_from_outside", "a shuffle reads lane 20, which does not take part in it"),
        ("write_past_shared", "a write outside the 1024 bytes of static shared memory"),
        ("write_before_shared", "a write outside the 384 bytes of dynamic shared memory"),
        ("too_much_static_shared", "static shared memory: expected at most 48768 bytes, got 49156"),
        ("shuffle_in_thirds", "shuffle: width: expected a power of two up to 32, got 3"),
    ],
)
def test_faulty_kernel_is_reported(ordered: ModuleType, name: str, text: str) -> None:
    with pytest.raises(RuntimeError) as error:
        run_two_blocks(ordered, name)
    message = str(error.value)
    assert message.startswith(f"emulated kernel {name}: block (")
    assert text in message
    # The emulator is whole again after a fault.
    expected = numbers().reshape(2, -1)[:, ::-1].ravel()
    assert np.array_equal(run_two_blocks(ordered, "reverse_block"), expected)


def test_fault_on_another_os_thread_is_reported(emulator: ModuleType) -> None:
    emulator.configure(os_threads=3)
    with pytest.raises(RuntimeError, match="divergent_barrier"):
        emulator.run_sample("divergent_barrier", numbers(640), grid=(20, 1, 1))


def test_unknown_names_are_refused(emulator: ModuleType) -> None:
    with pytest.raises(ValueError, match="order: expected forward, reverse or random, got up"):
        emulator.configure(order="up")
    with pytest.raises(ValueError, match=r"architecture: expected one of 75 80 .* 120, got 70"):
        emulator.configure(architecture=70)
    with pytest.raises(ValueError, match="name: expected a sample kernel, got nothing"):
        emulator.run_sample("nothing", numbers())
