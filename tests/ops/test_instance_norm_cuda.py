"""The CUDA kernels of instance norm, run by the emulator, against the definition and the CPU."""

import math
from types import ModuleType
from typing import Any

import pytest
import torch
from norm_cases import CASES, DTYPES, FORMATS, Case, Operands, assert_near, make
from torch import Tensor

# Beside those of the CPU: units of 16 bytes (channels or columns a multiple of 8), one block of
# channels and several, rows in several chunks, more images than one.
CUDA_CASES = [
    *CASES[:-1],
    Case(1, 37, 3, 17, 1),
    Case(2, 24, 8, 50, 1),
    Case(1, 272, 3, 16),
    Case(2, 3, 70, 136),
]


def compute_everything(operators: Any, operands: Operands, pad: int) -> list[Tensor]:
    """Return the output, mean, 1 / standard deviation, and gradients to features and slope."""
    x, slope, keep, residual, grad_out = operands
    out, mean, rstd = operators.instance_norm(x, slope, keep, residual, 1e-5, pad)
    grads = operators.grad_instance_norm(grad_out, x, mean, rstd, slope, keep, pad)
    return [out, mean, rstd, *grads]


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CUDA_CASES)
def test_cuda_equals_cpu_in_double(
    case: Case, dtype: torch.dtype, memory_format: torch.memory_format, emulated_ops: Any
) -> None:
    operands = make(case, dtype, memory_format)
    found = compute_everything(emulated_ops, operands, case.pad)
    expected = compute_everything(torch.ops.mrirecon, operands.exact(), case.pad)
    real = torch.float32 if dtype == torch.bfloat16 else dtype
    for index, of_dtype in zip((0, 3, 1, 2), (dtype, dtype, real, real), strict=True):
        assert_near(found[index], expected[index], of_dtype)
    assert found[0].is_contiguous(memory_format=memory_format)
    # Sums of up to 10,000 products below 16, rounded as x was.
    bound = 64 * torch.finfo(dtype).eps * (case.rows * case.cols) ** 0.5
    torch.testing.assert_close(found[4].double(), expected[4], rtol=0, atol=bound)


@pytest.mark.parametrize("memory_format", FORMATS)
def test_cuda_floats_keep_their_accuracy_on_hard_features(
    memory_format: torch.memory_format, emulated_ops: Any
) -> None:
    x = torch.randn(1, 16, 60, 64)
    x[:, :8] += 1000
    x[:, 8:, 0, 0] = 3000.0
    x = x.contiguous(memory_format=memory_format)
    found = emulated_ops.instance_norm(x, None, None, None, 1e-5, 0)[2]
    expected = torch.ops.mrirecon.instance_norm(x.double(), None, None, None, 1e-5, 0)[2]
    # In sums of 4000 terms; squares of x itself would be wrong by 6 %.
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("offset", [1, 4])
def test_cuda_takes_features_that_begin_anywhere(offset: int, emulated_ops: Any) -> None:
    """Only where 16 bytes may be read at once, they are."""
    numbers = torch.randn(2 * 8 * 5 * 16 + offset)
    x = numbers[offset:].view(2, 8, 5, 16)
    found = emulated_ops.instance_norm(x, None, None, None, 1e-5, 0)[0]
    expected = torch.ops.mrirecon.instance_norm(x.double(), None, None, None, 1e-5, 0)[0]
    assert_near(found, expected, torch.float32)


@pytest.mark.parametrize("memory_format", FORMATS)
def test_cuda_result_does_not_depend_on_the_order_of_threads(
    memory_format: torch.memory_format, emulator: ModuleType
) -> None:
    operands = make(Case(1, 24, 20, 40, 1), torch.float32, memory_format)
    results = []
    for order in ("forward", "reverse", "random"):
        emulator.configure(order=order)
        results.append(compute_everything(torch.ops.mrirecon_emulated, operands, 1))
    for other in results[1:]:
        assert all(map(torch.equal, results[0], other))


@pytest.mark.parametrize("memory_format", FORMATS)
def test_cuda_nan_spreads_over_its_channel_and_no_further(
    memory_format: torch.memory_format, emulated_ops: Any
) -> None:
    x = torch.randn(2, 16, 9, 24).bfloat16().contiguous(memory_format=memory_format)
    x[1, 13, 4, 20] = math.nan
    expected = torch.zeros(x.shape, dtype=torch.bool)
    expected[1, 13] = True
    found = emulated_ops.instance_norm(x, None, None, None, 1e-5, 0)[0]
    assert torch.equal(found.isnan(), expected)


def test_cuda_rounds_bfloat16_to_the_nearest_once(emulated_ops: Any) -> None:
    x = torch.randn(1, 16, 9, 24).bfloat16()
    found = emulated_ops.instance_norm(x, None, None, None, 1e-5, 0)[0].double()
    exact = torch.ops.mrirecon.instance_norm(x.double(), None, None, None, 1e-5, 0)[0]
    half_a_unit = 0.5 * torch.finfo(torch.bfloat16).eps
    assert ((found - exact).abs() <= 1.001 * half_a_unit * exact.abs() + 1e-5).all()
