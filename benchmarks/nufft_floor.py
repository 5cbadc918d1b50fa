"""How long the transforms of the oversampled grid take alone, which no NUFFT can go below."""

import importlib
import importlib.util
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from nufft_workloads import Workload

from mrirecon.nufft.gridding import grid_size

ROUNDS = 15


def floors(workload: Workload, threads: int) -> dict[str, float]:
    """Time a forward FFT of all images on grids of 1.25 times their size, in milliseconds."""
    ndim = len(workload.shape)
    grid = [grid_size(math.ceil(1.25 * n), axis, ndim) for axis, n in enumerate(workload.shape)]
    x = torch.randn(workload.n_images, *grid, dtype=torch.complex64)
    axes = tuple(range(1, ndim + 1))
    found = {"torch": median_ms(lambda: torch.fft.fftn(x, dim=axes))}
    if importlib.util.find_spec("pyfftw"):
        fftw: Any = importlib.import_module("pyfftw")
        options = {"axes": axes, "threads": threads, "flags": ["FFTW_MEASURE"]}
        buffers = [fftw.empty_aligned(tuple(x.shape), "complex64") for _ in range(2)]
        plan = fftw.FFTW(*buffers, **options)
        buffers[0][:] = x.numpy()
        found["FFTW"] = median_ms(plan.execute)
    return found


def median_ms(compute: Callable[[], object]) -> float:
    compute()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        compute()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)
