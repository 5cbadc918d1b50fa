from types import ModuleType

import numpy as np
import pytest
from emulator_cases import numbers, run_two_blocks


def test_every_atomic_combines_shared_memory(ordered: ModuleType) -> None:
    expected = []
    for block in numbers().astype(int).reshape(2, -1):
        shifted = block + 256
        n = len(block)
        expected.append(
            [
                block.sum(),
                -block.sum(),
                block.min(),
                block.max(),
                np.bitwise_and.reduce(shifted),
                np.bitwise_or.reduce(shifted),
                np.bitwise_xor.reduce(shifted),
                n % 7,
                -n % 7,
                (block**2).sum(),
                0.5 * block.sum(),
            ]
        )
    out = run_two_blocks(ordered, "combine_in_shared").reshape(2, -1)
    assert out[:, : len(expected[0])].tolist() == expected


def test_compare_and_swap_claims_a_slot_once(ordered: ModuleType) -> None:
    values = np.random.default_rng(3).integers(1, 20, 96).astype(np.float32)
    out = ordered.run_sample("claim_slots", values, block=(96, 1, 1))
    assert out[0] == len(np.unique(values))


def test_exchange_chains_every_thread(ordered: ModuleType) -> None:
    out = run_two_blocks(ordered, "chain_threads")
    assert out[:2].tolist() == numbers().reshape(2, -1).sum(axis=1).tolist()


@pytest.mark.parametrize("os_threads", [1, 4])
def test_last_block_sees_what_the_others_left(emulator: ModuleType, os_threads: int) -> None:
    emulator.configure(order="random", os_threads=os_threads)
    out = emulator.run_sample("sum_in_last_block", numbers(320), grid=(10, 1, 1))
    assert out[0] == numbers(320).sum()
    assert out[-1] == 0  # the counter is ready for the next launch


@pytest.mark.parametrize("os_threads", [1, 4])
def test_atomic_add_loses_nothing(emulator: ModuleType, os_threads: int) -> None:
    emulator.configure(os_threads=os_threads)
    n = 512 * 32
    out = emulator.run_sample("add_all_100_times", numbers(n), grid=(512, 1, 1))
    assert out[0] == 100 * numbers(n).sum()  # integers below 2^24: exact in any order
