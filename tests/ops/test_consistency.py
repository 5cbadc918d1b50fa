import math
from typing import Any

import pytest
import torch
from mask_cases import CASES
from properties import assert_linear, assert_same_for_any_number_of_threads
from torch import Tensor

from mrirecon import ops
from mrirecon.reference import consistency as reference

COMPLEX = [torch.complex64, torch.complex128]
WEIGHTS = [None, 0.0, 0.3, 20.0]


def make(shape: tuple[int, ...], mask_shape: tuple[int, ...], dtype: torch.dtype) -> list[Tensor]:
    mask = torch.rand(mask_shape) < 0.4
    return [torch.randn(shape, dtype=dtype), torch.randn(shape, dtype=dtype), mask]


def weight_of(value: float | None, dtype: torch.dtype) -> Tensor | None:
    return None if value is None else torch.tensor(value, dtype=dtype.to_real())


def assert_close(result: Tensor, expected: Tensor) -> None:
    """Agree to a few roundings: two products, two sums and a quotient of numbers below 8."""
    tolerance = 8 * 8 * torch.finfo(result.dtype).eps
    torch.testing.assert_close(result, expected.to(result.dtype), rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize(("shape", "mask_shape"), CASES)
def test_equals_reference(
    shape: tuple[int, ...],
    mask_shape: tuple[int, ...],
    weight: float | None,
    dtype: torch.dtype,
    simd_level: str,
) -> None:
    prediction, measured, mask = make(shape, mask_shape, dtype)
    noise_weight = weight_of(weight, dtype)
    result = ops.enforce_consistency(prediction, measured, mask, noise_weight=noise_weight)
    exact = reference.enforce_consistency(
        prediction.to(torch.complex128),
        measured.to(torch.complex128),
        mask,
        noise_weight=None if noise_weight is None else noise_weight.double(),
    )
    if noise_weight is None:
        assert torch.equal(result, exact.to(dtype))
    else:
        assert_close(result, exact)


@pytest.mark.parametrize("dtype", COMPLEX)
@pytest.mark.parametrize("weight", [None, 0.3])
@pytest.mark.parametrize(("shape", "mask_shape"), CASES)
def test_cuda_kernel_equals_reference(
    shape: tuple[int, ...],
    mask_shape: tuple[int, ...],
    weight: float | None,
    dtype: torch.dtype,
    emulated_ops: Any,
) -> None:
    prediction, measured, mask = make(shape, mask_shape, dtype)
    noise_weight = weight_of(weight, dtype)
    result = emulated_ops.enforce_consistency(prediction, measured, mask, noise_weight)
    expected = reference.enforce_consistency(prediction, measured, mask, noise_weight=noise_weight)
    assert_close(result, expected)


def test_keeps_measured_samples_and_is_idempotent_when_hard() -> None:
    prediction, measured, mask = make((2, 1, 9, 11), (9, 11), torch.complex64)
    once = ops.enforce_consistency(prediction, measured, mask)
    assert torch.equal(once[..., mask], measured[..., mask])
    assert torch.equal(once[..., ~mask], prediction[..., ~mask])
    assert torch.equal(ops.enforce_consistency(once, measured, mask), once)


@pytest.mark.parametrize("weight", [None, 0.3])
def test_is_linear_in_prediction_and_measured_together(weight: float | None) -> None:
    mask = torch.rand(13, 15) < 0.4
    noise_weight = weight_of(weight, torch.complex128)

    def enforce(both: Tensor) -> Tensor:
        return ops.enforce_consistency(both[0], both[1], mask, noise_weight=noise_weight)

    x, y = torch.randn(2, 2, 3, 13, 15, dtype=torch.complex128)
    assert_linear(enforce, x, y)


def test_weight_moves_from_prediction_to_measured() -> None:
    prediction, measured, _ = make((3, 8, 9), (9,), torch.complex128)
    mask = torch.ones(9, dtype=torch.bool)
    none = ops.enforce_consistency(
        prediction, measured, mask, noise_weight=weight_of(0.0, torch.complex128)
    )
    much = ops.enforce_consistency(
        prediction, measured, mask, noise_weight=weight_of(1e18, torch.complex128)
    )
    assert_close(none, prediction)
    assert_close(much, measured)


@pytest.mark.parametrize("weight", [None, 0.3])
def test_mask_of_all_or_nothing_gives_one_operand(weight: float | None) -> None:
    prediction, measured, _ = make((3, 8, 9), (9,), torch.complex64)
    noise_weight = weight_of(weight, torch.complex64)
    nothing = ops.enforce_consistency(
        prediction, measured, torch.zeros(9, dtype=torch.bool), noise_weight=noise_weight
    )
    assert torch.equal(nothing, prediction)
    everything = ops.enforce_consistency(
        prediction, measured, torch.ones(8, 1, dtype=torch.bool), noise_weight=noise_weight
    )
    if weight is None:
        assert torch.equal(everything, measured)
    else:
        assert_close(everything, (prediction + weight * measured) / (1 + weight))


@pytest.mark.parametrize("weight", [None, 0.3])
def test_nan_that_is_not_chosen_does_not_spread(weight: float | None, simd_level: str) -> None:
    nan = torch.full((4, 4), complex(math.nan, math.inf), dtype=torch.complex64)
    finite, mask = torch.randn(4, 4, dtype=torch.complex64), torch.tensor([1, 0, 0, 1]).bool()
    noise_weight = weight_of(weight, torch.complex64)
    result = ops.enforce_consistency(finite, nan, mask, noise_weight=noise_weight)
    assert torch.equal(result.isfinite(), ~mask.expand(4, 4))
    if weight is None:
        result = ops.enforce_consistency(nan, finite, mask)
        assert torch.equal(result.isfinite(), mask.expand(4, 4))


@pytest.mark.parametrize("weight", [None, 0.3])
def test_same_for_any_number_of_threads(weight: float | None) -> None:
    prediction, measured, mask = make((8, 1, 65, 257), (8, 65, 257), torch.complex64)
    noise_weight = weight_of(weight, torch.complex64)
    assert_same_for_any_number_of_threads(
        lambda: ops.enforce_consistency(prediction, measured, mask, noise_weight=noise_weight)
    )


def test_accepts_conjugate_and_non_contiguous_views() -> None:
    prediction, measured, mask = make((3, 2, 10, 12), (3, 10, 12), torch.complex128)
    expected = ops.enforce_consistency(prediction, measured, mask)
    swapped = [x.transpose(-1, -2).contiguous().transpose(-1, -2) for x in (prediction, measured)]
    assert torch.equal(ops.enforce_consistency(*swapped, mask), expected)
    conjugate = ops.enforce_consistency(prediction.conj(), measured.conj(), mask)
    assert torch.equal(conjugate, expected.conj().resolve_conj())
    sparse = torch.rand(6, 20, 24)[::2, ::2, ::2] < 0.4
    assert torch.equal(
        ops.enforce_consistency(prediction, measured, sparse),
        reference.enforce_consistency(prediction, measured, sparse),
    )


KSPACE = torch.zeros(2, 3, 4, 5, dtype=torch.complex64)
MASK = torch.ones(5, dtype=torch.bool)


@pytest.mark.parametrize(
    ("prediction", "measured", "mask", "weight", "text"),
    [
        (KSPACE.real, KSPACE.real, MASK, None, "prediction: expected complex64 or complex128"),
        (KSPACE[0, 0, 0], KSPACE[0, 0, 0], MASK, None, "prediction: expected (..., rows, cols)"),
        (
            KSPACE,
            KSPACE.to(torch.complex128),
            MASK,
            None,
            "measured: expected ComplexFloat, the prediction's dtype, got ComplexDouble",
        ),
        (
            KSPACE,
            KSPACE[:1],
            MASK,
            None,
            "measured: expected the prediction's shape (2, 3, 4, 5), got (1, 3, 4, 5)",
        ),
        (KSPACE, KSPACE, MASK.float(), None, "mask: expected bool, got Float"),
        (KSPACE, KSPACE, MASK[:4], None, "= (2, 4, 5), an axis of 1 is repeated, got (4,)"),
        (
            KSPACE,
            KSPACE,
            MASK,
            torch.tensor(1.0, dtype=torch.float64),
            "noise_weight: expected Float, as the prediction's parts, got Double",
        ),
        (
            KSPACE,
            KSPACE,
            MASK,
            torch.ones(1),
            "noise_weight: expected a tensor of no dimensions, got (1,)",
        ),
    ],
)
def test_rejects_wrong_arguments_by_name(
    prediction: Tensor, measured: Tensor, mask: Tensor, weight: Tensor | None, text: str
) -> None:
    with pytest.raises(ValueError) as error:
        ops.enforce_consistency(prediction, measured, mask, noise_weight=weight)
    assert text in str(error.value)
    assert "\n" not in str(error.value)
