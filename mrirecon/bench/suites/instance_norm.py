"""Instance norm with PReLU and the next convolution's border, and convolution to one channel.

`ops.instance_norm`, and `models.ThinConv2d` that ReconResNet ends with.
"""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from mrirecon import ops
from mrirecon.bench.case import Case, Floors, Problem, Setup, Way
from mrirecon.bench.suites.operands import compiled, in_double, named, with_gradients
from mrirecon.models.thin import ThinConv2d

Function = Callable[[Tensor, Tensor], Tensor]  # of features, and slope or weight
# Features of a small ReconResNet, of its end, and of the published one, and the border behind them.
SIZES = (((8, 64, 64, 64), 1), ((8, 16, 256, 256), 3), ((2, 256, 64, 64), 1))
SMALL_SIZES = (((2, 5, 6, 7), 1), ((1, 16, 8, 8), 3))
KINDS = (
    (torch.float32, torch.contiguous_format),
    (torch.float32, torch.channels_last),
    (torch.bfloat16, torch.channels_last),
)
THIN_SIZES = ((8, 16, 262, 262), (2, 64, 262, 262))
KERNEL = 7
_SLOPE = 0.25
_ROUNDING = {torch.float32: 2.0**-24, torch.bfloat16: 2.0**-9}


def cases(setup: Setup) -> Iterator[Case]:
    """Yield sizes, precisions and memory orders; forward, and with gradients."""
    for size, pad in SMALL_SIZES if setup.small else SIZES:
        for dtype, order in KINDS:
            for has_gradient in (False, True):
                yield Case(
                    "instance_norm",
                    f"{_direction(has_gradient)}, {named(size)}, border {pad}, "
                    f"{_named_kind(dtype, order)}",
                    partial(
                        _make_norm, setup.device, size, pad, dtype, order, has_gradient=has_gradient
                    ),
                    n_images=size[0],
                )
    for size in ((2, 16, 14, 13),) if setup.small else THIN_SIZES:
        for dtype in _ROUNDING:
            yield Case(
                "instance_norm",
                f"convolution to one channel with gradient, {named(size)}, "
                f"{_named_kind(dtype, torch.channels_last)}",
                partial(_make_convolution, setup.device, size, dtype),
                n_images=size[0],
            )


def _direction(has_gradient: bool) -> str:
    return "with gradient" if has_gradient else "forward"


def _named_kind(dtype: torch.dtype, order: torch.memory_format) -> str:
    memory = "contiguous" if order == torch.contiguous_format else "channels-last"
    return f"{str(dtype).removeprefix('torch.')}, {memory}"


def _draw(
    size: tuple[int, ...], device: torch.device, dtype: torch.dtype, order: torch.memory_format
) -> Tensor:
    generator = torch.Generator().manual_seed(sum(size))
    values = torch.randn(size, generator=generator).to(device, dtype)
    return values.contiguous(memory_format=order)


def _make_norm(
    device: torch.device,
    size: tuple[int, ...],
    pad: int,
    dtype: torch.dtype,
    order: torch.memory_format,
    *,
    has_gradient: bool,
) -> Problem:
    features = _draw(size, device, dtype, order)
    slope = torch.tensor([_SLOPE], device=device)
    padded = (*size[:2], size[2] + 2 * pad, size[3] + 2 * pad)
    grad_out = _draw(padded, device, dtype, order)
    norms: dict[str, Callable[[], Function]] = {
        "mrirecon": lambda: lambda x, slope: ops.instance_norm(x, slope=slope, pad=pad),
        "PyTorch: instance_norm": lambda: partial(_by_instance_norm, pad),
        "PyTorch: group_norm": lambda: partial(_by_group_norm, pad),
        "torch.compile": lambda: compiled(partial(_by_instance_norm, pad)),
    }

    def way(make: Callable[[], Function], *operands: Tensor) -> Way:
        norm, (x, slope, grad) = make(), operands
        if has_gradient:
            return with_gradients(norm, (x, slope), grad)
        return Way(partial(norm, x, slope))

    def expected() -> Tensor:
        doubles = map(in_double, (features, slope, grad_out))
        exact = way(norms["PyTorch: instance_norm"], *doubles)
        return exact.result(exact.run())

    # Forward read and written; back both read again, and a gradient written.
    n_bytes = features.nbytes + grad_out.nbytes
    if has_gradient:
        n_bytes += 2 * features.nbytes + grad_out.nbytes
    return Problem(
        ways={name: partial(way, make, features, slope, grad_out) for name, make in norms.items()},
        expected=expected,
        tolerance=_tolerance(dtype, n_terms=size[2] * size[3]),
        floors=Floors(n_bytes=n_bytes),
    )


def _tolerance(dtype: torch.dtype, n_terms: int) -> float:
    """Allow for a result of ten roundings of random sign, and for a plain sum in float32."""
    return max(10 * _ROUNDING[dtype], n_terms**0.5 * _ROUNDING[torch.float32])


def _by_instance_norm(pad: int, x: Tensor, slope: Tensor) -> Tensor:
    return _with_border(pad, functional.prelu(functional.instance_norm(x), slope.to(x.dtype)))


def _by_group_norm(pad: int, x: Tensor, slope: Tensor) -> Tensor:
    normal = functional.group_norm(x, x.shape[1])
    return _with_border(pad, functional.prelu(normal, slope.to(x.dtype)))


def _with_border(pad: int, features: Tensor) -> Tensor:
    return functional.pad(features, (pad,) * 4, mode="reflect")


def _make_convolution(device: torch.device, size: tuple[int, ...], dtype: torch.dtype) -> Problem:
    features = _draw(size, device, dtype, torch.channels_last)
    plane = [n - KERNEL + 1 for n in size[2:]]
    grad_out = _draw((size[0], 1, *plane), device, dtype, torch.channels_last)
    weight = _draw((1, size[1], KERNEL, KERNEL), device, dtype, torch.channels_last) / KERNEL**2
    thin = ThinConv2d(size[1], 1, KERNEL).to(device, dtype)
    thin.bias = None
    convolutions: dict[str, Callable[[], Function]] = {
        "mrirecon": lambda: lambda x, w: torch.func.functional_call(thin, {"weight": w}, (x,)),
        "PyTorch: conv2d": lambda: functional.conv2d,
        "torch.compile: conv2d": lambda: compiled(functional.conv2d),
    }

    def way(make: Callable[[], Function]) -> Way:
        return with_gradients(make(), (features, weight), grad_out)

    def expected() -> Tensor:
        leaves = in_double(features), in_double(weight)
        exact = with_gradients(functional.conv2d, leaves, in_double(grad_out))
        return exact.result(exact.run())

    n_terms = grad_out.numel()  # of the gradient of each weight
    is_plain = dtype == torch.float32  # the peak is measured in float32
    return Problem(
        ways={name: partial(way, make) for name, make in convolutions.items()},
        expected=expected,
        tolerance=_tolerance(dtype, n_terms),
        # Features are read twice, and their gradient written; each of three results multiplies
        # and adds once for every weight and place.
        floors=Floors(
            n_bytes=3 * features.nbytes,
            n_operations=3 * 2 * weight.numel() * n_terms if is_plain else 0,
        ),
    )
