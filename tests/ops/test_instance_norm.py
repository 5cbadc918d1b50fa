"""Instance norm with activation, dropout, border and residual, against its definition."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from norm_cases import CASES, DTYPES, FORMATS, Case, assert_near, make
from properties import assert_same_for_any_number_of_threads
from torch import Tensor
from torch.nn import functional

from mrirecon import ops
from mrirecon.reference.instance_norm import instance_norm as reference


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_equals_reference(
    case: Case, dtype: torch.dtype, memory_format: torch.memory_format, simd_level: str
) -> None:
    operands = make(case, dtype, memory_format)
    x, slope, keep, residual, _ = operands
    found = ops.instance_norm(x, slope=slope, keep=keep, residual=residual, pad=case.pad)
    exact = operands.exact()
    options = {"slope": exact.slope, "keep": exact.keep, "residual": exact.residual}
    assert_near(found, reference(exact.x, **options, pad=case.pad), dtype)
    assert found.dtype == dtype
    assert found.is_contiguous(memory_format=memory_format)


def test_equals_torch_where_torch_has_it() -> None:
    x = torch.randn(2, 6, 9, 11, dtype=torch.float64)
    slope = torch.tensor([0.1], dtype=torch.float64)
    normal = functional.instance_norm(x, eps=1e-3)
    torch.testing.assert_close(ops.instance_norm(x, eps=1e-3), normal)
    expected = functional.pad(functional.prelu(normal, slope), (2,) * 4, mode="reflect")
    torch.testing.assert_close(ops.instance_norm(x, slope=slope, pad=2, eps=1e-3), expected)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("hard", ["far from zero", "hot corner", "nearly constant"])
def test_float32_keeps_its_accuracy_on_hard_features(
    hard: str, memory_format: torch.memory_format, simd_level: str
) -> None:
    """A variance taken as a difference of means, or from one far pixel, would be lost."""
    x = torch.randn(1, 16, 60, 64)
    if hard == "far from zero":
        x += 1000
    elif hard == "hot corner":
        x[..., 0, 0] = 3000.0
    else:
        x = 1 + 1e-4 * x
    x = x.contiguous(memory_format=memory_format)
    expected = reference(x.double(), eps=1e-10)
    found = ops.instance_norm(x, eps=1e-10)
    # The rounding of x, over the standard deviation, and of long sums: squares of deviations from
    # the first pixel would be wrong by 2e-4 for the hot corner.
    spread = x.double().std((-2, -1)).min()
    tolerance = 64 * torch.finfo(torch.float32).eps * (1 + x.double().mean().abs() / spread)
    error = (found.double() - expected).abs().max() / expected.abs().max()
    assert error < tolerance


def test_one_pixel_has_no_variance() -> None:
    residual = torch.randn(2, 3, 1, 1)
    x = torch.randn(2, 3, 1, 1)
    assert torch.equal(ops.instance_norm(x), torch.zeros_like(x))
    assert torch.equal(ops.instance_norm(x, residual=residual), residual)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_spreads_over_its_channel_and_no_further(
    value: float, memory_format: torch.memory_format
) -> None:
    x = torch.randn(2, 20, 9, 21).contiguous(memory_format=memory_format)
    x[1, 17, 4, 20] = value
    expected = torch.zeros(x.shape, dtype=torch.bool)
    expected[1, 17] = True
    for dtype in (torch.float32, torch.bfloat16):
        assert torch.equal(ops.instance_norm(x.to(dtype)).isnan(), expected)


@pytest.mark.parametrize("shape", [(0, 3, 4, 5), (2, 0, 4, 5), (2, 3, 0, 5)])
def test_empty_features_stay_empty(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, requires_grad=True)
    slope = torch.ones(1, requires_grad=True)
    out = ops.instance_norm(x, slope=slope)
    assert out.shape == shape
    of_x, of_slope = torch.autograd.grad(out.sum(), (x, slope))
    assert of_x.shape == shape
    assert of_slope.item() == 0


def test_features_and_factors_of_any_strides() -> None:
    x, keep = torch.randn(2, 12, 9, 20)[:, ::2, :, 3:17], torch.rand(12, 2).T[:, ::2]
    residual = torch.randn(9, 2, 14, 6).permute(1, 3, 0, 2)
    found = ops.instance_norm(x, keep=keep, residual=residual)
    dense = [each.contiguous() for each in (x, keep, residual)]
    assert torch.equal(found, ops.instance_norm(dense[0], keep=dense[1], residual=dense[2]))


@pytest.mark.parametrize("memory_format", FORMATS)
def test_does_not_depend_on_the_number_of_threads(memory_format: torch.memory_format) -> None:
    operands = make(Case(2, 20, 70, 40, 1), torch.float32, memory_format)
    x = operands.x.requires_grad_()

    def compute() -> Tensor:
        out = ops.instance_norm(x, slope=operands.slope, residual=operands.residual, pad=1)
        (grad,) = torch.autograd.grad(out, x, operands.grad_out)
        return torch.cat([out.flatten(), grad.flatten()])

    assert_same_for_any_number_of_threads(compute)


def test_takes_numpy_arrays() -> None:
    x = torch.randn(2, 3, 6, 7)
    found = ops.instance_norm(x.numpy(), slope=np.float32([0.5]), pad=1)
    expected = ops.instance_norm(x, slope=torch.tensor([0.5]), pad=1)
    assert np.array_equal(found, expected.numpy())


def test_a_slope_of_bfloat16_is_widened() -> None:
    x, slope = torch.randn(1, 2, 5, 6).bfloat16(), torch.tensor([0.25], dtype=torch.bfloat16)
    assert torch.equal(ops.instance_norm(x, slope=slope), ops.instance_norm(x, slope=slope.float()))


X = torch.zeros(2, 3, 4, 5)
MEAN = torch.zeros(2, 3)
gradient = torch.ops.mrirecon.grad_instance_norm


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ops.instance_norm(X.int()), "x: expected float32, float64 or bfloat16, got Int"),
        (lambda: ops.instance_norm(X[0]), "x: expected (batch, channels, rows, cols), got (3, 4, "),
        (lambda: ops.instance_norm(X, pad=-1), "pad: expected 0 or more, less than the rows and"),
        (lambda: ops.instance_norm(X, pad=4), "the cols of x (2, 3, 4, 5), got 4"),
        (lambda: ops.instance_norm(X, eps=0.0), "eps: expected more than 0, got 0"),
        (lambda: ops.instance_norm(X, eps=math.nan), "eps: expected more than 0, got nan"),
        (lambda: ops.instance_norm(X, slope=torch.ones(3)), "slope: expected (1,), got (3,)"),
        (
            lambda: ops.instance_norm(X, slope=torch.ones(1).double()),
            "slope: expected Float beside x of Float, got Double",
        ),
        (
            lambda: ops.instance_norm(X.bfloat16(), keep=MEAN.bfloat16()),
            "keep: expected Float beside x of BFloat16, got BFloat16",
        ),
        (
            lambda: ops.instance_norm(X, keep=MEAN[:1]),
            "keep: expected (batch, channels) = (2, 3), got (1, 3)",
        ),
        (lambda: ops.instance_norm(X, keep=MEAN.clone().requires_grad_()), "keep: expected a cons"),
        (
            lambda: ops.instance_norm(X, residual=X, pad=1),
            "residual: expected the output's shape (2, 3, 6, 7), got (2, 3, 4, 5)",
        ),
        (
            lambda: ops.instance_norm(X, residual=X.double()),
            "residual: expected Float beside x of Float, got Double",
        ),
        (lambda: gradient(X, X, MEAN[0], MEAN, None, None, 0), "mean: expected (batch, channels)"),
        (lambda: gradient(X, X, MEAN, MEAN.double(), None, None, 0), "rstd: expected Float beside"),
        (lambda: gradient(X[0], X, MEAN, MEAN, None, None, 0), "grad_out: expected the output's"),
    ],
)
def test_rejects_wrong_arguments_by_name(call: Callable[[], Tensor], text: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert text in str(error.value)
    assert "\n" not in str(error.value)
