from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

ORDERS = ["forward", "reverse", "random"]
N = 192  # numbers; two blocks of three warps


def numbers(n: int = N) -> NDArray[np.float32]:
    return np.random.default_rng(1).integers(-99, 99, n).astype(np.float32)


def run_two_blocks(emulator: ModuleType, name: str) -> NDArray[np.float32]:
    return emulator.run_sample(
        name, numbers(), grid=(2, 1, 1), block=(N // 2, 1, 1), shared_bytes=2 * N
    )


@pytest.fixture(params=ORDERS)
def ordered(emulator: ModuleType, request: pytest.FixtureRequest) -> ModuleType:
    emulator.configure(order=request.param)
    return emulator


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


def test_syncwarp_orders_shared_memory_within_a_warp(ordered: ModuleType) -> None:
    expected = numbers().reshape(-1, 2)[:, ::-1].ravel()
    assert np.array_equal(run_two_blocks(ordered, "swap_neighbours"), expected)


@pytest.mark.parametrize("os_threads", [1, 4])
def test_atomic_add_loses_nothing(emulator: ModuleType, os_threads: int) -> None:
    emulator.configure(os_threads=os_threads)
    n = 512 * 32
    out = emulator.run_sample("add_all_100_times", numbers(n), grid=(512, 1, 1))
    assert out[0] == 100 * numbers(n).sum()  # integers below 2^24: exact in any order


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
        ("too_much_static_shared", "static shared memory: expected at most 49152 bytes, got 49156"),
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


@pytest.mark.parametrize(
    ("grid", "block", "shared_bytes", "text"),
    [
        ((0, 1, 1), (32, 1, 1), 0, "grid.x: expected 1 to 2147483647, got 0"),
        ((2**31, 1, 1), (32, 1, 1), 0, "grid.x: expected 1 to 2147483647, got 2147483648"),
        ((1, 65536, 1), (32, 1, 1), 0, "grid.y: expected 1 to 65535, got 65536"),
        ((1, 1, 65536), (32, 1, 1), 0, "grid.z: expected 1 to 65535, got 65536"),
        ((1, 1, 1), (1025, 1, 1), 0, "block.x: expected 1 to 1024, got 1025"),
        ((1, 1, 1), (1, 1, 65), 0, "block.z: expected 1 to 64, got 65"),
        ((1, 1, 1), (32, 33, 1), 0, "block: expected at most 1024 threads, got 1056"),
        ((1, 1, 1), (32, 1, 1), 65537, "shared memory: expected at most 65536 bytes, got 65537"),
    ],
)
def test_launch_beyond_the_limits_is_refused(
    emulator: ModuleType,
    grid: tuple[int, int, int],
    block: tuple[int, int, int],
    shared_bytes: int,
    text: str,
) -> None:
    with pytest.raises(RuntimeError) as error:
        emulator.run_sample(
            "write_position", numbers(), grid=grid, block=block, shared_bytes=shared_bytes
        )
    assert str(error.value).startswith("emulated kernel write_position: ")
    assert text in str(error.value)


def test_unknown_names_are_refused(emulator: ModuleType) -> None:
    with pytest.raises(ValueError, match="order: expected forward, reverse or random, got up"):
        emulator.configure(order="up")
    with pytest.raises(ValueError, match="name: expected a sample kernel, got nothing"):
        emulator.run_sample("nothing", numbers())
