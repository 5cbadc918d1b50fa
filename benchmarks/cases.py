"""Sizes that every benchmark uses, and the check that comes before each timing."""

from collections.abc import Callable
from typing import Any

import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

BATCHES = {"16x1x320x320": (16, 1, 320, 320), "1x16x320x320": (1, 16, 320, 320)}
LINES, PLANE = (320,), (320, 320)


def time_checked(
    benchmark: BenchmarkFixture,
    compute: Callable[[], Tensor],
    expected: Tensor,
    *,
    tolerance: float,
    n_bytes: int,
) -> None:
    """Time `compute` after it was found right, and store error, bytes, threads and versions.

    Args:
        benchmark: of pytest-benchmark; its group names the case, so that rows of one case are
            compared as ratios.
        compute: what is timed; called without arguments.
        expected: right result, in float64 or complex128.
        tolerance: largest relative l2 error that counts as right.
        n_bytes: least number of bytes that must move, from which GB/s follow.
    """
    error = float(torch.linalg.norm(compute() - expected) / torch.linalg.norm(expected))
    assert error <= tolerance, f"relative error {error:.1e}, allowed {tolerance:.1e}"
    benchmark.extra_info.update(
        relative_error=error, threads=torch.get_num_threads(), torch=torch.__version__
    )
    benchmark(compute)
    # With --benchmark-disable the function runs once and there are no statistics.
    stats: Any = benchmark.stats
    if stats is not None:
        benchmark.extra_info["GB_per_s"] = round(n_bytes / stats.stats.median / 1e9, 2)
