"""What several suites make their operands and ways of."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from mrirecon.bench.case import Compute, Setup, Way

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def kspace_sizes(setup: Setup) -> Iterator[tuple[int, ...]]:
    """Yield (batch, coils, rows, cols): a batch of images, and one image of many coils."""
    batch, side = (3, 12) if setup.small else (16, 320)
    yield batch, 1, side, side
    yield 1, batch, side, side


def named(size: tuple[int, ...]) -> str:
    """Name a size: "16 x 1 x 320 x 320"."""
    return " x ".join(map(str, size))


def random_complex(size: tuple[int, ...], device: torch.device, seed: int = 0) -> Tensor:
    """Draw complex64, the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, dtype=torch.complex64, generator=generator).to(device)


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a way for its fixed sizes."""
    return torch.compile(function, dynamic=False)


def in_double(x: Tensor) -> Tensor:
    """Return complex128 of complex numbers, float64 of real ones, and a mask as it is."""
    if x.dtype == torch.bool:
        return x
    return x.to(torch.complex128 if x.is_complex() else torch.float64)


def with_gradients(
    compute: Callable[..., Tensor], leaves: Sequence[Tensor], grad_out: Tensor
) -> Way:
    """Return a way that goes forward and back; all gradients are compared, as one vector.

    Args:
        compute: takes the leaves.
        leaves: whose gradients are computed.
        grad_out: the gradient of what `compute` returns.
    """
    return Way(partial(_gradients, compute, leaves, grad_out), _as_vector)


def _gradients(
    compute: Callable[..., Tensor], leaves: Sequence[Tensor], grad_out: Tensor
) -> tuple[Tensor, ...]:
    inputs = [x.detach().requires_grad_() for x in leaves]
    return torch.autograd.grad(compute(*inputs), inputs, grad_out)


def _as_vector(gradients: Sequence[Tensor]) -> Tensor:
    plain = [x.resolve_conj() for x in gradients]  # which torch may leave for later
    real = [torch.view_as_real(x) if x.is_complex() else x for x in plain]
    return torch.cat([x.flatten() for x in real])


def by_cupy(function: Callable[..., Any], *operands: Tensor) -> Compute:
    """Return `function` of cupy and arrays over the operands' memory."""
    cupy = importlib.import_module("cupy")
    # A mask goes as bytes, which every version of DLPack knows.
    bytes_ = [x.view(torch.uint8) if x.dtype == torch.bool else x for x in operands]
    arrays = [cupy.from_dlpack(x) for x in bytes_]
    return lambda: from_dlpack(function(cupy, *arrays))
