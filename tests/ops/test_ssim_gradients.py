"""Gradients of SSIM: against the definition, and under autograd, opcheck and torch.compile."""

from collections.abc import Callable

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

from mrirecon import ops
from mrirecon.ops.ssim import WindowName
from mrirecon.reference import ssim as reference


def reference_gradients(
    measure: Callable[..., Tensor],
    pair: tuple[Tensor, Tensor],
    cotangent: Tensor,
    **options: object,
) -> tuple[Tensor, ...]:
    """Differentiate the definition in float64."""
    exact = [image.detach().to(torch.float64, copy=True).requires_grad_() for image in pair]
    return torch.autograd.grad(measure(*exact, **options), exact, cotangent.double())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_equal_reference(
    shape: tuple[int, ...], window: WindowName, dtype: torch.dtype, simd_level: str
) -> None:
    pair = make_pair(shape, dtype)
    for name in ("ssim", "ssim_map"):
        images = [image.clone().requires_grad_() for image in pair]
        result = getattr(ops, name)(*images, data_range=0.8, window=window)
        cotangent = torch.randn_like(result)
        found = torch.autograd.grad(result, images, cotangent)
        options = {"data_range": 0.8, "window": window}
        expected = reference_gradients(getattr(reference, name), pair, cotangent, **options)
        for of_found, of_expected in zip(found, expected, strict=True):
            assert_relative(of_found, of_expected, tolerance_of(dtype))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("case", HARD)
def test_float32_keeps_its_accuracy_on_hard_images(
    case: str, window: WindowName, simd_level: str
) -> None:
    pair = hard_pair(case)
    options = {"data_range": 1.0, "window": window}
    found = ops.ssim_map(*pair, **options)
    expected = reference.ssim_map(pair[0].double(), pair[1].double(), **options)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=tolerance_of(torch.float32))

    prediction = pair[0].clone().requires_grad_()
    mean = ops.ssim(prediction, pair[1], **options)
    (grad,) = torch.autograd.grad(mean, prediction)
    expected_grad, _ = reference_gradients(reference.ssim, pair, torch.ones(()), **options)
    assert_relative(grad, expected_grad, 1e-6)


@pytest.mark.parametrize("window", WINDOWS)
def test_constant_images_have_a_finite_gradient(window: WindowName) -> None:
    prediction = torch.full((1, 24, 24), 0.25, requires_grad=True)
    mean = ops.ssim(prediction, torch.zeros(1, 24, 24), data_range=1.0, window=window)
    expected = 1e-4 / (0.25**2 + 1e-4)  # only the luminance differs
    assert mean.item() == pytest.approx(expected, rel=1e-6)
    (grad,) = torch.autograd.grad(mean.sum(), prediction)
    assert grad.isfinite().all()


@pytest.mark.parametrize("window", WINDOWS)
def test_passes_gradcheck(window: WindowName) -> None:
    size = SIZES[window]
    pair = [image.requires_grad_() for image in make_pair((2, size + 1, size + 2))]
    for measure in (ops.ssim, ops.ssim_map):
        torch.autograd.gradcheck(lambda p, t: measure(p, t, data_range=1.0, window=window), pair)  # noqa: B023


def test_gradient_to_the_target_alone() -> None:
    prediction, target = make_pair((2, 14, 13))
    target.requires_grad_()
    result = ops.ssim(prediction, target, data_range=1.0, window="uniform")
    (found,) = torch.autograd.grad(result.sum(), target)
    _, expected = reference_gradients(
        reference.ssim, (prediction, target), torch.ones(2), data_range=1.0, window="uniform"
    )
    assert_relative(found, expected, 1e-12)


def test_refuses_a_second_derivative() -> None:
    prediction, target = make_pair((1, 12, 12))
    prediction.requires_grad_()
    for measure in (ops.ssim, ops.ssim_map):
        result = measure(prediction, target, data_range=1.0, window="uniform").sum()
        with pytest.raises(NotImplementedError, match="second derivatives"):
            torch.autograd.grad(result, prediction, create_graph=True)


@pytest.mark.parametrize("window", WINDOWS)
def test_passes_opcheck(window: WindowName) -> None:
    prediction, target = make_pair((2, 13, 14), torch.float32)
    ranges = torch.ones(2)
    operators = torch.ops.mrirecon
    differentiable = prediction.clone().requires_grad_(), target.clone().requires_grad_()
    torch.library.opcheck(operators.ssim_mean.default, (prediction, target, ranges, window))
    for operator in (operators.ssim_mean_with_grad, operators.ssim_map):
        torch.library.opcheck(operator.default, (*differentiable, ranges, window))
    grad_map = torch.rand(2, 13 - SIZES[window] + 1, 14 - SIZES[window] + 1)
    arguments = (grad_map, prediction, target, ranges, window)
    torch.library.opcheck(operators.grad_ssim_map.default, arguments)


@pytest.mark.parametrize("name", ["ssim", "ssim_map"])
def test_compiles_without_a_graph_break(name: str) -> None:
    prediction, target = make_pair((2, 14, 15))

    def loss(image: Tensor) -> Tensor:
        score = getattr(ops, name)(2 * image, target, data_range=1.0, window="gaussian")
        return 1 - score.mean()

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(prediction), loss(prediction))
    gradients = []
    for function in (compiled, loss):
        image = prediction.clone().requires_grad_()
        gradients += torch.autograd.grad(function(image), image)
    torch.testing.assert_close(*gradients)
