from typing import Any

import pytest
import torch
from properties import assert_same_for_any_number_of_threads
from torch import Tensor

from mrirecon import ops
from mrirecon.reference import consistency as reference

# as in test_consistency.py; 300 rows are more than the threads that add the rows' sums on CUDA
CASES = [
    ((2, 3, 16, 20), (20,)),
    ((3, 2, 50, 6), (50, 6)),
    ((1, 1, 17, 19), (17, 19)),
    ((4, 2, 8, 33), (4, 1, 33)),
    ((4, 2, 8, 33), (1, 8, 1)),
    ((2, 3, 521), (521,)),
    ((0, 2, 5, 7), (7,)),
    ((2, 3, 0), (1,)),
]
Gradients = tuple[Tensor, ...]


def make(shape: tuple[int, ...], mask_shape: tuple[int, ...], dtype: torch.dtype) -> list[Tensor]:
    """Return grad_out, prediction, measured, mask and noise weight."""
    grad_out, prediction, measured = (torch.randn(shape, dtype=dtype) for _ in range(3))
    weight = torch.tensor(0.7, dtype=dtype.to_real())
    return [grad_out, prediction, measured, torch.rand(mask_shape) < 0.4, weight]


def exact_gradients(
    grad_out: Tensor, prediction: Tensor, measured: Tensor, mask: Tensor, weight: Tensor | None
) -> Gradients:
    """Differentiate the reference in complex128."""
    operands = [x.detach().to(torch.complex128) for x in (prediction, measured)]
    operands += [] if weight is None else [weight.double()]
    leaves = [x.requires_grad_() for x in operands]
    out = reference.enforce_consistency(
        leaves[0], leaves[1], mask, noise_weight=None if weight is None else leaves[2]
    )
    return torch.autograd.grad(out, leaves, grad_out.to(torch.complex128))


def assert_gradients_close(results: Gradients, expected: Gradients) -> None:
    """Elements to a few roundings; the weight's to 50 eps sqrt(n) of products below 64."""
    for result, exact in zip(results, expected, strict=True):
        eps = torch.finfo(result.dtype).eps
        bound = 64 * eps if result.dim() else 50 * 64 * eps * max(1, expected[0].numel()) ** 0.5
        torch.testing.assert_close(result, exact.to(result.dtype), rtol=0, atol=bound)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize(("shape", "mask_shape"), CASES)
def test_gradients_equal_those_of_the_reference(
    shape: tuple[int, ...], mask_shape: tuple[int, ...], dtype: torch.dtype, simd_level: str
) -> None:
    grad_out, prediction, measured, mask, weight = make(shape, mask_shape, dtype)
    hard = [x.clone().requires_grad_() for x in (prediction, measured)]
    results = torch.autograd.grad(ops.enforce_consistency(*hard, mask), hard, grad_out)
    expected = exact_gradients(grad_out, prediction, measured, mask, None)
    assert all(torch.equal(a, b.to(dtype)) for a, b in zip(results, expected, strict=True))

    soft = [x.clone().requires_grad_() for x in (prediction, measured, weight)]
    out = ops.enforce_consistency(soft[0], soft[1], mask, noise_weight=soft[2])
    results = torch.autograd.grad(out, soft, grad_out)
    expected = exact_gradients(grad_out, prediction, measured, mask, weight)
    assert_gradients_close(results, expected)


@pytest.mark.parametrize("is_soft", [False, True])
@pytest.mark.parametrize(("shape", "mask_shape"), CASES)
def test_cuda_kernels_give_the_gradients_of_the_reference(
    shape: tuple[int, ...], mask_shape: tuple[int, ...], is_soft: bool, emulated_ops: Any
) -> None:
    grad_out, *rest = make(shape, mask_shape, torch.complex64)
    prediction, measured, mask, weight = rest
    expected = exact_gradients(grad_out, prediction, measured, mask, weight if is_soft else None)
    saved = (prediction, measured, mask, weight) if is_soft else (None, None, mask, None)
    results = emulated_ops.grad_enforce_consistency(grad_out, *saved, True, True)
    assert_gradients_close(results if is_soft else results[:2], expected)


@pytest.mark.parametrize("needs", [(True, False), (False, True), (False, False)])
def test_only_the_gradients_that_are_asked_for_are_computed(needs: tuple[bool, bool]) -> None:
    grad_out, prediction, measured, mask, weight = make((2, 8, 9), (9,), torch.complex64)
    expected = exact_gradients(grad_out, prediction, measured, mask, weight)
    results = torch.ops.mrirecon.grad_enforce_consistency(
        grad_out, prediction, measured, mask, weight, *needs
    )
    for result, exact, is_needed in zip(results, expected, (*needs, True), strict=True):
        assert result.shape == (exact.shape if is_needed else (0,))
        if is_needed:
            assert_gradients_close((result,), (exact,))


def test_weight_has_no_gradient_from_rows_without_samples() -> None:
    arguments = make((2, 3, 0), (1,), torch.complex64)
    torch.use_deterministic_algorithms(True)  # fills new tensors with NaN
    try:
        grad_weight = torch.ops.mrirecon.grad_enforce_consistency(*arguments, True, True)[2]
    finally:
        torch.use_deterministic_algorithms(False)
    assert grad_weight == 0


def test_gradients_are_the_same_for_any_number_of_threads() -> None:
    arguments = make((8, 1, 65, 257), (8, 65, 257), torch.complex64)

    def gradients() -> Tensor:
        parts = torch.ops.mrirecon.grad_enforce_consistency(*arguments, True, True)
        return torch.cat([part.to(torch.complex64).flatten() for part in parts])

    assert_same_for_any_number_of_threads(gradients)


def test_passes_gradcheck_and_opcheck() -> None:
    grad_out, prediction, measured, mask, weight = make((2, 2, 4, 5), (2, 4, 5), torch.complex128)
    operands = [x.requires_grad_() for x in (prediction, measured, weight)]

    def soft(p: Tensor, m: Tensor, w: Tensor) -> Tensor:
        return ops.enforce_consistency(p, m, mask, noise_weight=w)

    assert torch.autograd.gradcheck(soft, operands)
    assert torch.autograd.gradcheck(
        lambda p, m: ops.enforce_consistency(p, m, mask), (prediction, measured)
    )
    forward = torch.ops.mrirecon.enforce_consistency.default
    backward = torch.ops.mrirecon.grad_enforce_consistency.default
    swapped = prediction.detach().transpose(2, 3).requires_grad_()
    with_swap = (swapped, measured.detach().transpose(2, 3), mask.mT, weight)
    for arguments in [(prediction, measured, mask, None), with_swap]:
        torch.library.opcheck(forward, arguments)
    fixed = [x.detach() for x in operands]
    for arguments in [
        (grad_out, fixed[0], fixed[1], mask, fixed[2], True, True),
        (grad_out, None, None, mask, None, True, False),
    ]:
        torch.library.opcheck(backward, arguments)


def test_compiles_without_a_graph_break() -> None:
    _, prediction, measured, mask, weight = make((2, 1, 8, 9), (9,), torch.complex64)

    def energy(p: Tensor, w: Tensor) -> Tensor:
        return ops.enforce_consistency(2 * p, measured, mask, noise_weight=w).abs().square().sum()

    compiled = torch.compile(energy, fullgraph=True, backend="aot_eager")
    leaves = [x.requires_grad_() for x in (prediction, weight)]
    expected, result = energy(*leaves), compiled(*leaves)
    torch.testing.assert_close(result, expected)
    torch.testing.assert_close(
        torch.autograd.grad(result, leaves), torch.autograd.grad(expected, leaves)
    )


def test_refuses_a_second_derivative() -> None:
    _, prediction, measured, mask, _ = make((2, 1, 8, 9), (9,), torch.complex64)
    energy = ops.enforce_consistency(prediction.requires_grad_(), measured, mask).abs().sum()
    with pytest.raises(NotImplementedError, match="enforce_consistency: second derivatives"):
        torch.autograd.grad(energy, prediction, create_graph=True)
