"""Coil maps and CG-SENSE against SigPy, where it is installed.

The scan is simulated: smooth coils, a random object, noise, 4-fold undersampling in a plane. The
error is against 100 iterations in complex128, for ESPIRiT but for the common phase.
Command: pytest benchmarks/bench_classical.py --benchmark-only --benchmark-group-by=group
"""

import functools
import importlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases import time_checked
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from mrirecon.classical import cg_sense, espirit_maps
from mrirecon.fourier import fft_centred, ifft_centred
from mrirecon.ops import combine_coils, expand_coils
from mrirecon.sampling import SamplingConfig, make_mask

# SigPy loads SciPy and Numba, which warn of what they deprecate.
pytestmark = pytest.mark.filterwarnings("ignore")

CASES = {"8x256x256": (8, 256, 256)}
N_STEPS = 30
REGULARISATION = 1e-3


@functools.cache
def make(case: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return k-space, the coil maps it was made with, and a mask."""
    torch.manual_seed(0)
    coils, rows, cols = CASES[case]
    spectrum = torch.zeros(1, coils, rows, cols, dtype=torch.complex64)
    middle = [slice(n // 2 - 2, n // 2 + 3) for n in (rows, cols)]
    spectrum[:, :, middle[0], middle[1]] = torch.randn(1, coils, 5, 5, dtype=torch.complex64)
    maps = ifft_centred(spectrum)
    maps /= torch.linalg.vector_norm(maps, dim=1, keepdim=True)
    image = torch.rand(1, 1, rows, cols).to(maps.dtype)
    kspace = fft_centred(expand_coils(image, maps))
    kspace += 0.01 * torch.randn_like(kspace)
    config = SamplingConfig("variable_density_2d", acceleration=4, calibration=24)
    return kspace, maps, make_mask(config, (rows, cols), seed=0)


def sigpy_app(name: str) -> Callable[..., Any]:
    pytest.importorskip("sigpy")
    return getattr(importlib.import_module("sigpy.mri.app"), name)


def sigpy_espirit(kspace: Tensor) -> Tensor:
    app = sigpy_app("EspiritCalib")(kspace[0].numpy(), max_iter=N_STEPS, show_pbar=False)
    return torch.from_numpy(app.run())[None]


def sigpy_sense(kspace: Tensor, mask: Tensor, maps: Tensor) -> Tensor:
    arrays = [x[0].numpy() for x in (kspace * mask, maps)]
    app = sigpy_app("SenseRecon")(*arrays, lamda=REGULARISATION, max_iter=N_STEPS, show_pbar=False)
    return torch.from_numpy(app.run())[None, None]


def sense(kspace: Tensor, mask: Tensor, maps: Tensor, n_steps: int = N_STEPS) -> Tensor:
    options = {"regularisation": REGULARISATION, "n_iterations": n_steps, "tolerance": 0.0}
    return cg_sense(kspace, mask, maps, **options).x


ESPIRIT = {
    "mrirecon": functools.partial(espirit_maps, n_iterations=N_STEPS),
    "SigPy": sigpy_espirit,
}
SENSE = {"mrirecon": sense, "SigPy": sigpy_sense}


@pytest.mark.parametrize("way", ESPIRIT)
@pytest.mark.parametrize("case", CASES)
def test_espirit(benchmark: BenchmarkFixture, case: str, way: str) -> None:
    kspace = make(case)[0]
    benchmark.group = f"ESPIRiT {case}"
    exact = espirit_maps(kspace.to(torch.complex128), n_iterations=100)
    maps = ESPIRIT[way](kspace).to(torch.complex128)
    time_checked(
        benchmark,
        lambda: ESPIRIT[way](kspace),
        exact * combine_coils(maps, exact).sgn(),  # in the phase of `maps`
        tolerance=1e-2,
        n_bytes=16 * kspace.numel(),
    )


@pytest.mark.parametrize("way", SENSE)
@pytest.mark.parametrize("case", CASES)
def test_sense(benchmark: BenchmarkFixture, case: str, way: str) -> None:
    kspace, maps, mask = make(case)
    benchmark.group = f"CG-SENSE {case}"
    doubles = [x.to(torch.complex128) for x in (kspace, maps)]
    time_checked(
        benchmark,
        lambda: SENSE[way](kspace, mask, maps),
        sense(doubles[0], mask, doubles[1], n_steps=100),
        tolerance=3e-2,
        n_bytes=N_STEPS * 16 * kspace.numel(),
    )
