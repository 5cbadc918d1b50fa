from types import ModuleType

import numpy as np
import pytest
from emulator_cases import numbers, run_two_blocks


def reversed_blocks(n_blocks: int) -> np.ndarray:
    return numbers().reshape(n_blocks, -1)[:, ::-1].ravel()


def test_copies_arrive_by_the_wait(ordered: ModuleType) -> None:
    assert np.array_equal(run_two_blocks(ordered, "reverse_by_copies"), reversed_blocks(2))


def test_a_stage_is_used_while_the_next_is_copied(ordered: ModuleType) -> None:
    out = ordered.run_sample("reverse_in_stages", numbers(), grid=(2, 1, 1), block=(24, 1, 1))
    assert np.array_equal(out, reversed_blocks(8))


def test_the_end_of_a_copy_can_be_zeros(emulator: ModuleType) -> None:
    out = emulator.run_sample("copy_half_and_zeros", numbers(4), block=(1, 1, 1), shared_bytes=16)
    assert out.tolist() == [*numbers(4)[:2], 0, 0]


@pytest.mark.parametrize("name", ["copy_without_wait", "copy_without_commit"])
def test_data_are_nan_before_the_wait(ordered: ModuleType, name: str) -> None:
    assert np.isnan(run_two_blocks(ordered, name)).all()


def test_a_wait_leaves_later_groups_on_their_way(emulator: ModuleType) -> None:
    out = emulator.run_sample("wait_for_the_wrong_group", numbers(2), block=(1, 1, 1))
    assert out[0] == numbers(2)[0]
    assert np.isnan(out[1])


def test_a_wait_does_not_show_the_data_to_other_threads(ordered: ModuleType) -> None:
    assert not np.array_equal(run_two_blocks(ordered, "copy_without_barrier"), reversed_blocks(2))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("never_wait_for_copy", "exited before it had waited for its asynchronous copies"),
        ("copy_six_bytes", "asynchronous copy: expected 4, 8 or 16 bytes, got 6 with 0 zeros"),
        ("copy_misaligned", "asynchronous copy: expected addresses aligned to its 8 bytes"),
        ("copy_past_shared", "asynchronous copy: expected a destination in shared memory"),
        ("copy_to_global", "asynchronous copy: expected a destination in shared memory"),
    ],
)
def test_misuse_is_reported(ordered: ModuleType, name: str, text: str) -> None:
    with pytest.raises(RuntimeError, match=f"emulated kernel {name}: block .*: {text}"):
        run_two_blocks(ordered, name)
    # What was on its way is forgotten.
    assert np.array_equal(run_two_blocks(ordered, "reverse_by_copies"), reversed_blocks(2))
