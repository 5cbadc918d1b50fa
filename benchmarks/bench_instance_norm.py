"""Instance norm with PReLU and the border of the next convolution, against PyTorch's ways.

Floor of the forward pass: features read twice and written once; with the gradient eight passes.
Also the convolution to one channel that ReconResNet ends with, against the direct one.
Command: pytest benchmarks/bench_instance_norm.py --benchmark-only --benchmark-group-by=group
Compiled ways are chosen with -k compile; leave them out with -k "not compile".
"""

from collections.abc import Callable
from functools import cache

import pytest
import torch
from cases import time_checked
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn
from torch.nn import functional

from mrirecon import ops
from mrirecon.models import ReconResNet, ReconResNetConfig

Way = Callable[[Tensor, Tensor, int], Tensor]  # of features, slope and border
# Features of a small ReconResNet and of the published one, and the border behind them.
CASES = {
    "8x64x64x64, border 1": ((8, 64, 64, 64), 1),
    "8x16x256x256, border 3": ((8, 16, 256, 256), 3),
    "2x256x64x64, border 1": ((2, 256, 64, 64), 1),
    "2x64x256x256": ((2, 64, 256, 256), 0),
}
DTYPES: dict[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}
ORDERS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}
ROUNDING = {torch.float32: 1e-5, torch.bfloat16: 2e-2}  # relative, of the ways of several roundings


def with_border(features: Tensor, pad: int) -> Tensor:
    return functional.pad(features, (pad,) * 4, mode="reflect") if pad else features


def eager(x: Tensor, slope: Tensor, pad: int) -> Tensor:
    return with_border(functional.prelu(functional.instance_norm(x), slope.to(x.dtype)), pad)


def group_norm(x: Tensor, slope: Tensor, pad: int) -> Tensor:
    normal = functional.group_norm(x, x.shape[1])
    return with_border(functional.prelu(normal, slope.to(x.dtype)), pad)


@cache
def compiled() -> Way:
    return torch.compile(eager, dynamic=False)


def run_compiled(x: Tensor, slope: Tensor, pad: int) -> Tensor:
    return compiled()(x, slope, pad)


WAYS: dict[str, Way] = {
    "mrirecon": lambda x, slope, pad: ops.instance_norm(x, slope=slope, pad=pad),
    "instance_norm": eager,
    "group_norm": group_norm,
    "compiled": run_compiled,  # compiled by those alone who choose it
}


def grad_of(way: Way, x: Tensor, slope: Tensor, pad: int, grad_out: Tensor) -> Tensor:
    x, slope = x.detach().requires_grad_(), slope.detach().requires_grad_()
    grads = torch.autograd.grad(way(x, slope, pad), (x, slope), grad_out)
    return grads[0]


@pytest.mark.filterwarnings("default::DeprecationWarning")  # torch.compile uses torch.jit inside
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("direction", ["forward", "with gradient"])
@pytest.mark.parametrize("kind", [f"{dtype} {order}" for dtype in DTYPES for order in ORDERS])
@pytest.mark.parametrize("case", CASES)
def test_instance_norm(
    benchmark: BenchmarkFixture, case: str, kind: str, direction: str, way: str
) -> None:
    (shape, pad), (dtype, order) = CASES[case], kind.split()
    memory_format = ORDERS[order]
    torch.manual_seed(0)
    x = torch.randn(shape).to(DTYPES[dtype]).contiguous(memory_format=memory_format)
    slope = torch.tensor([0.25])
    benchmark.group = f"instance_norm {direction} {case} {kind}"
    exact = (x.double(), slope.double(), pad)
    expected = eager(*exact)
    compute, passes = (lambda: WAYS[way](x, slope, pad)), 3
    if direction == "with gradient":
        grad_out = torch.randn(expected.shape).to(x).contiguous(memory_format=memory_format)
        expected = grad_of(eager, *exact, grad_out.double())
        compute, passes = (lambda: grad_of(WAYS[way], x, slope, pad, grad_out)), 8
    time_checked(
        benchmark,
        compute,
        expected,
        tolerance=ROUNDING[x.dtype],
        n_bytes=passes * x.numel() * x.element_size(),
    )


def direct(features: Tensor, layer: nn.Conv2d) -> Tensor:
    return functional.conv2d(features, layer.weight, layer.bias)


@pytest.mark.parametrize("way", ["mrirecon", "direct"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(8, 16, 262, 262), (2, 64, 262, 262)])
def test_convolution_to_one_channel_with_gradient(
    benchmark: BenchmarkFixture, shape: tuple[int, ...], dtype: str, way: str
) -> None:
    torch.manual_seed(0)
    layer = ReconResNet(ReconResNetConfig(width=shape[1], n_blocks=0)).to_image
    layer.to(DTYPES[dtype], memory_format=torch.channels_last)  # type: ignore[call-overload]
    features = torch.randn(shape).to(DTYPES[dtype]).contiguous(memory_format=torch.channels_last)
    features.requires_grad_()
    grad_out = torch.randn(shape[0], 1, 256, 256).to(features)

    def compute() -> Tensor:
        out = layer(features) if way == "mrirecon" else direct(features, layer)
        return torch.autograd.grad(out, (features, layer.weight), grad_out)[1]

    exact = features.detach().double(), layer.weight.detach().double().requires_grad_()
    (expected,) = torch.autograd.grad(functional.conv2d(*exact), exact[1], grad_out.double())
    benchmark.group = f"convolution to one channel {'x'.join(map(str, shape))} {dtype}"
    n_bytes = 3 * features.numel() * features.element_size()  # read twice, a gradient written
    time_checked(benchmark, compute, expected, tolerance=ROUNDING[features.dtype], n_bytes=n_bytes)
