"""Gradients of instance norm: against the definition, autograd, opcheck and torch.compile."""

import pytest
import torch
from norm_cases import CASES, DTYPES, FORMATS, Case, Operands, assert_near, make
from torch import Tensor

from mrirecon import ops
from mrirecon.reference.instance_norm import instance_norm as reference


def gradients_of(function: object, operands: Operands, pad: int) -> list[Tensor]:
    """Return the gradients to those of x, slope and residual that are given."""
    x, slope, keep, residual, grad_out = operands
    leaves = [x.clone().requires_grad_()]  # clone keeps the memory order
    options: dict[str, Tensor | None] = {"slope": None, "residual": None}
    for name, value in (("slope", slope), ("residual", residual)):
        if value is not None:
            options[name] = value.clone().requires_grad_()
            leaves.append(options[name])
    out = function(leaves[0], **options, keep=keep, pad=pad)  # type: ignore[operator]
    return list(torch.autograd.grad(out, leaves, grad_out))


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_gradients_equal_reference(
    case: Case, dtype: torch.dtype, memory_format: torch.memory_format, simd_level: str
) -> None:
    operands = make(case, dtype, memory_format)
    found = gradients_of(ops.instance_norm, operands, case.pad)
    expected = gradients_of(reference, operands.exact(), case.pad)
    assert found[0].is_contiguous(memory_format=memory_format)
    assert_near(found[0], expected[0], dtype)
    if case.whole:
        # The sum of n products of either sign, each below 16 and rounded a few times.
        bound = 64 * torch.finfo(dtype).eps * operands.x.numel() ** 0.5
        torch.testing.assert_close(found[1].double(), expected[1], rtol=0, atol=bound)
        assert torch.equal(found[2], operands.grad_out)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("of_gradient", FORMATS)
@pytest.mark.parametrize("of_features", FORMATS)
def test_gradient_is_right_in_every_memory_order(
    of_features: torch.memory_format, of_gradient: torch.memory_format, batch: int
) -> None:
    """torch 2.13 has a relative error of 1.4 for one image whose gradient is channels-last."""
    operands = make(Case(batch, 8, 6, 9, whole=False), torch.float32, of_features)
    expected = gradients_of(reference, operands.exact(), 0)
    grad_out = operands.grad_out.contiguous(memory_format=of_gradient)
    (found,) = gradients_of(ops.instance_norm, operands._replace(grad_out=grad_out), 0)
    assert_near(found, expected[0], torch.float32)


@pytest.mark.parametrize("memory_format", FORMATS)
def test_passes_gradcheck(memory_format: torch.memory_format) -> None:
    x, slope, keep, residual, _ = make(Case(2, 3, 4, 5, 2), torch.float64, memory_format)
    assert slope is not None and residual is not None

    def function(x: Tensor, slope: Tensor, residual: Tensor) -> Tensor:
        return ops.instance_norm(x, slope=slope, keep=keep, residual=residual, pad=2)

    operands = [each.requires_grad_() for each in (x, slope, residual)]
    assert torch.autograd.gradcheck(function, operands)


def test_gives_each_operand_its_gradient_alone() -> None:
    whole = make(Case(2, 3, 5, 6, 1), torch.float64)
    x, slope, keep, residual, grad_out = whole
    expected = gradients_of(ops.instance_norm, whole, 1)
    for index, name in enumerate(("x", "slope", "residual")):
        values = {"x": x, "slope": slope, "residual": residual}
        leaf = values[name].clone().requires_grad_()  # type: ignore[union-attr]
        out = ops.instance_norm(**(values | {name: leaf}), keep=keep, pad=1)
        (found,) = torch.autograd.grad(out, leaf, grad_out)
        assert torch.equal(found, expected[index])


def test_refuses_a_second_derivative() -> None:
    x = torch.randn(1, 2, 4, 4, requires_grad=True)
    with pytest.raises(NotImplementedError, match="instance_norm: second derivatives are not"):
        torch.autograd.grad(ops.instance_norm(x).square().sum(), x, create_graph=True)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("case", [Case(2, 3, 6, 7, 1), Case(1, 4, 5, 5, 0, whole=False)])
def test_passes_opcheck(case: Case, dtype: torch.dtype, memory_format: torch.memory_format) -> None:
    x, slope, keep, residual, grad_out = make(case, dtype, memory_format)
    operators = torch.ops.mrirecon
    x.requires_grad_()
    _, mean, rstd = operators.instance_norm(x, slope, keep, residual, 1e-5, case.pad)
    torch.library.opcheck(
        operators.instance_norm.default, (x, slope, keep, residual, 1e-5, case.pad)
    )
    arguments = (grad_out, x.detach(), mean, rstd, slope, keep, case.pad)
    torch.library.opcheck(operators.grad_instance_norm.default, arguments)


def test_compiles_without_a_graph_break() -> None:
    operands = make(Case(2, 4, 6, 7, 1), torch.float32)

    def loss(x: Tensor, **options: Tensor | int | None) -> Tensor:
        return ops.instance_norm(2 * x, **options).square()  # type: ignore[arg-type]

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    found, expected = (gradients_of(function, operands, 1) for function in (compiled, loss))
    for of_found, of_expected in zip(found, expected, strict=True):
        torch.testing.assert_close(of_found, of_expected)
