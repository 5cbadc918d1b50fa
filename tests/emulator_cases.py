"""Numbers for the emulator's sample kernels, and how most of them are run."""

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

ORDERS = ["forward", "reverse", "random"]
N = 192  # numbers; two blocks of three warps


def numbers(n: int = N) -> NDArray[np.float32]:
    """Draw whole numbers from -99 to 98."""
    return np.random.default_rng(1).integers(-99, 99, n).astype(np.float32)


def run_two_blocks(emulator: ModuleType, name: str) -> NDArray[np.float32]:
    """Run a sample on `numbers()`, a number a thread, with dynamic memory for each."""
    return emulator.run_sample(
        name, numbers(), grid=(2, 1, 1), block=(N // 2, 1, 1), shared_bytes=2 * N
    )
