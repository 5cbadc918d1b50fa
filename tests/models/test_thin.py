"""A convolution from or to few channels is torch's, with its gradients."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mrirecon.models.thin import ThinConv2d

CASES = [(5, 2, 3, 1), (2, 5, 3, 1), (6, 1, 7, 0), (1, 6, 7, 0), (4, 2, 3, 0), (3, 7, 5, 3)]


@pytest.fixture(params=CASES, ids=lambda case: "channels {}-{} kernel {} padding {}".format(*case))
def layer(request: pytest.FixtureRequest) -> ThinConv2d:
    before, after, kernel, padding = request.param
    return ThinConv2d(before, after, kernel, padding=padding).double()


def features_of(layer: ThinConv2d, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(2, layer.in_channels, 9, 11, dtype=dtype, requires_grad=True)


def direct(layer: ThinConv2d, features: Tensor) -> Tensor:
    return functional.conv2d(features, layer.weight, layer.bias, padding=layer.padding)


def gradients(out: Tensor, cotangent: Tensor, layer: ThinConv2d, features: Tensor) -> list[Tensor]:
    assert layer.bias is not None
    return list(torch.autograd.grad(out, (features, layer.weight, layer.bias), cotangent))


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_result_and_gradients_are_torchs(layer: ThinConv2d, order: torch.memory_format) -> None:
    layer.to(memory_format=order)
    features = features_of(layer).detach().contiguous(memory_format=order).requires_grad_()
    out, expected = layer(features), direct(layer, features)
    torch.testing.assert_close(out, expected)
    cotangent = torch.randn_like(expected)
    found = gradients(out, cotangent, layer, features)
    for one, other in zip(found, gradients(expected, cotangent, layer, features), strict=True):
        torch.testing.assert_close(one, other)


def test_only_the_gradients_asked_for_are_computed(layer: ThinConv2d) -> None:
    features = features_of(layer)
    layer.weight.requires_grad_(False)
    (found,) = torch.autograd.grad(layer(features).sum(), features)
    (expected,) = torch.autograd.grad(direct(layer, features).sum(), features)
    torch.testing.assert_close(found, expected)
    layer.requires_grad_(False)
    assert not layer(features.detach()).requires_grad


def test_a_second_derivative_is_torchs(layer: ThinConv2d) -> None:
    features = features_of(layer)

    def slope(out: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(out.pow(3).sum(), features, create_graph=True)
        return torch.autograd.grad(gradient.square().sum(), layer.weight)[0]

    torch.testing.assert_close(slope(layer(features)), slope(direct(layer, features)))


def test_under_autocast_it_is_in_bfloat16(layer: ThinConv2d) -> None:
    layer.float()
    features = features_of(layer, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        out = layer(features)
    assert out.dtype == torch.bfloat16
    expected = direct(layer, features)
    # Operands, the kernel's columns and the result are rounded to 8 bits each.
    assert (out - expected).norm() < 4 * 2**-8 * expected.norm()
    found = gradients(out.float(), torch.ones_like(expected), layer, features)
    exact = gradients(expected, torch.ones_like(expected), layer, features)
    for one, other in zip(found, exact, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 4 * 2**-8 * other.norm()


@pytest.mark.filterwarnings("default::DeprecationWarning")  # of torch's own tracing of functions
def test_it_is_compiled_whole(layer: ThinConv2d) -> None:
    layer.float()
    features = features_of(layer, torch.float32)
    expected = direct(layer, features)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    out = compiled(features)
    torch.testing.assert_close(out, expected)
    cotangent = torch.randn_like(expected)
    found = gradients(out, cotangent, layer, features)
    for one, other in zip(found, gradients(expected, cotangent, layer, features), strict=True):
        torch.testing.assert_close(one, other)
