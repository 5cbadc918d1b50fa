"""The CUDA kernels of SSIM, run by the emulator, against the CPU kernels."""

import math
from types import ModuleType
from typing import Any

import pytest
import torch
from ssim_cases import (
    DTYPES,
    HARD,
    SHAPES,
    SIZES,
    WINDOWS,
    assert_relative,
    hard_pair,
    make_pair,
    tolerance_of,
)
from torch import Tensor

from mrirecon.ops.ssim import WindowName


def compute_everything(operators: Any, pair: tuple[Tensor, Tensor], window: str) -> list[Tensor]:
    """Return map, mean, mean computed with its gradient, that gradient, gradient of the map."""
    data_range = torch.linspace(0.8, 1.2, math.prod(pair[0].shape[:-2]), dtype=pair[0].dtype)
    operands = (*pair, data_range.reshape(pair[0].shape[:-2]), window)
    similarity = operators.ssim_map(*operands)
    mean, grad = operators.ssim_mean_with_grad(*operands)
    grad_map = torch.cos(torch.arange(similarity.numel())).reshape(similarity.shape).to(mean.dtype)
    grad_of_map = operators.grad_ssim_map(grad_map, *operands)
    return [similarity, operators.ssim_mean(*operands), mean, grad, grad_of_map]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_cuda_equals_cpu(
    shape: tuple[int, ...], window: WindowName, dtype: torch.dtype, emulated_ops: Any
) -> None:
    pair = make_pair(shape, dtype)
    found = compute_everything(emulated_ops, pair, window)
    expected = compute_everything(torch.ops.mrirecon, pair, window)
    tolerance = 10 * tolerance_of(dtype)  # sums of floats, where the CPU sums doubles
    for of_found, of_expected in zip(found[:3], expected[:3], strict=True):
        torch.testing.assert_close(of_found, of_expected, rtol=0, atol=tolerance)
    for of_found, of_expected in zip(found[3:], expected[3:], strict=True):
        assert of_found.shape == of_expected.shape
        assert_relative(of_found, of_expected.double(), tolerance)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("case", HARD)
def test_cuda_floats_keep_their_accuracy_on_hard_images(
    case: str, window: WindowName, emulated_ops: Any
) -> None:
    # Beside an image of another level, from which it must not be measured.
    pairs = zip(hard_pair("far from zero"), hard_pair(case), strict=True)
    prediction, target = (torch.stack(both) for both in pairs)
    exact = (prediction.double(), target.double())
    found = compute_everything(emulated_ops, (prediction, target), window)
    expected = compute_everything(torch.ops.mrirecon, exact, window)
    for of_found, of_expected in zip(found[:3], expected[:3], strict=True):
        torch.testing.assert_close(of_found.double(), of_expected, rtol=0, atol=2e-6)
    for of_found, of_expected in zip(found[3:], expected[3:], strict=True):
        assert_relative(of_found[1], of_expected[1], 1e-5)


@pytest.mark.parametrize("window", WINDOWS)
def test_cuda_result_does_not_depend_on_the_order_of_threads(
    window: WindowName, emulator: ModuleType
) -> None:
    pair = make_pair((2, 33, 47), torch.float32)
    results = []
    for order in ("forward", "reverse", "random"):
        emulator.configure(order=order)
        results.append(compute_everything(torch.ops.mrirecon_emulated, pair, window))
    for other in results[1:]:
        assert all(map(torch.equal, results[0], other))


@pytest.mark.parametrize("place", [(20, 25), (20, 20)])  # the second is where origins are taken
@pytest.mark.parametrize("window", WINDOWS)
def test_cuda_nan_spreads_to_its_windows_and_no_further(
    window: WindowName, place: tuple[int, int], emulated_ops: Any
) -> None:
    prediction, target = make_pair((2, 40, 41), torch.float32)
    row, col = place
    target[1, row, col] = math.nan
    found = emulated_ops.ssim_map(prediction, target, torch.ones(2), window)
    size = SIZES[window]
    expected = torch.zeros(found.shape, dtype=torch.bool)
    expected[1, row - size + 1 : row + 1, col - size + 1 : col + 1] = True
    assert torch.equal(found.isnan(), expected)
