from types import ModuleType

import pytest
import torch
from emulator_cases import numbers, run_two_blocks


@pytest.mark.parametrize(
    ("grid", "block", "shared_bytes", "text"),
    [
        (
            (0, 1, 1),
            (32, 1, 1),
            0,
            "configuration argument: grid.x: expected 1 to 2147483647, got 0",
        ),
        (
            (2**31, 1, 1),
            (32, 1, 1),
            0,
            "configuration argument: grid.x: expected 1 to 2147483647, got 2147483648",
        ),
        (
            (1, 65536, 1),
            (32, 1, 1),
            0,
            "configuration argument: grid.y: expected 1 to 65535, got 65536",
        ),
        (
            (1, 1, 65536),
            (32, 1, 1),
            0,
            "configuration argument: grid.z: expected 1 to 65535, got 65536",
        ),
        (
            (1, 1, 1),
            (1025, 1, 1),
            0,
            "configuration argument: block.x: expected 1 to 1024, got 1025",
        ),
        ((1, 1, 1), (1, 1, 65), 0, "configuration argument: block.z: expected 1 to 64, got 65"),
        (
            (1, 1, 1),
            (32, 33, 1),
            0,
            "configuration argument: block: expected at most 1024 threads, got 1056",
        ),
        (
            (1, 1, 1),
            (32, 1, 1),
            65537,
            "invalid argument: dynamic shared memory on sm_75: expected at most 65536",
        ),
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


# CUDA C++ programming guide, technical specifications per compute capability.
KIB = {75: 64, 80: 163, 86: 99, 89: 99, 90: 227, 100: 227, 120: 99}


@pytest.mark.parametrize("architecture", KIB)
def test_dynamic_shared_memory_is_limited_by_the_architecture(
    emulator: ModuleType, architecture: int
) -> None:
    emulator.configure(architecture=architecture)
    most = KIB[architecture] * 1024
    emulator.run_sample("rotate_block", numbers(32), shared_bytes=most)
    with pytest.raises(RuntimeError) as error:
        emulator.run_sample("rotate_block", numbers(32), shared_bytes=most + 1)
    assert str(error.value) == (
        "emulated kernel rotate_block: invalid argument: dynamic shared memory on "
        f"sm_{architecture}: expected at most {most} bytes, got {most + 1}"
    )


def test_static_and_dynamic_shared_memory_are_limited_together(emulator: ModuleType) -> None:
    most = 48 * 1024 - 1024  # without asking for more, beside 1024 static bytes
    emulator.run_sample("reverse_block", numbers(32), shared_bytes=most)
    with pytest.raises(RuntimeError, match="static shared memory: expected at most 1023 bytes"):
        emulator.run_sample("reverse_block", numbers(32), shared_bytes=most + 1)
    with pytest.raises(RuntimeError, match="static shared memory: expected at most 1020 bytes"):
        emulator.run_sample("reverse_block", numbers(32), shared_bytes=64 * 1024 - 1020)


def test_static_shared_memory_is_limited_alone(emulator: ModuleType) -> None:
    emulator.configure(architecture=90)
    with pytest.raises(RuntimeError, match="expected at most 49152 bytes, got 49156"):
        emulator.run_sample("too_much_static_shared", numbers(32), shared_bytes=100 * 1024)
    assert run_two_blocks(emulator, "reverse_block").any()


def test_more_threads_than_the_launch_bounds_are_refused(emulator: ModuleType) -> None:
    emulator.set_launch_bounds({"write_position": 64})
    emulator.run_sample("write_position", numbers(), block=(64, 1, 1))
    with pytest.raises(RuntimeError) as error:
        emulator.run_sample("write_position", numbers(), block=(5, 13, 1))
    assert str(error.value) == (
        "emulated kernel write_position: block: expected at most the 64 threads of its "
        "__launch_bounds__, got 65"
    )


@pytest.mark.parametrize("kernel", ["compare_kernel<double, UniformWindow>", "mean_kernel<double>"])
def test_launch_bounds_find_a_kernel_by_the_name_that_nvcc_gives(
    kernel: str, emulator: ModuleType
) -> None:
    emulator.set_launch_bounds({kernel: 255})
    image, data_range = torch.rand(1, 8, 8, dtype=torch.float64), torch.ones(1).double()
    with pytest.raises(RuntimeError, match=f"{kernel}: block: expected at most the 255"):
        torch.ops.mrirecon_emulated.ssim_mean(image, image, data_range, "uniform")
