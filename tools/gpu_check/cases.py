"""Operators beside their meaning in plain PyTorch and other packages, at sizes that fill a GPU."""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from mrirecon import ops
from mrirecon.reference import coils, consistency, instance_norm, masking, ssim

Compute = Callable[[], Tensor]


@dataclass(frozen=True)
class Way:
    """How a package computes a result, ready to be timed; `scale` makes it the expected one."""

    compute: Compute
    scale: float = 1.0


@dataclass(frozen=True)
class Case:
    """Several ways to one result.

    Attributes:
        name: of the operator and its sizes.
        ways: by package; each is prepared when it is called. None: the package is not installed.
        expected: what is right.
        n_bytes: that must move at least: operands read once, the result written once.
        tolerance: largest relative l2 error of this package's way; a wrong kernel is off by more.
    """

    name: str
    ways: dict[str, Callable[[], Way] | None]
    expected: Compute
    n_bytes: int
    tolerance: float = 1e-4  # between two float32 results


def is_installed(package: str) -> bool:
    """Return whether a package can be imported, without importing it."""
    return importlib.util.find_spec(package) is not None


def make_cases(device: str, batch: int = 16, size: int = 320) -> list[Case]:
    """Return a case for each operator; operands are made on `device`, with one seed."""
    generator = torch.Generator(device).manual_seed(1)

    def draw(*shape: int) -> Tensor:
        shape = (*shape, size, size)
        return torch.randn(shape, dtype=torch.complex64, device=device, generator=generator)

    kspace, other, maps = draw(batch, 8), draw(batch, 8), draw(1, 8)
    mask = torch.rand(size, device=device, generator=generator) < 0.25
    return [
        *_kspace_cases(kspace, other, mask),
        *_coil_cases(draw(batch, 1), kspace, maps),
        _ssim_case(kspace.real[:, 0].contiguous(), other.real[:, 0].contiguous()),
        *_norm_cases(torch.cat([kspace.real, kspace.imag], dim=1)),
    ]


def _case(name: str, ours: Compute, plain: Compute, cupy: Compute | None, n_bytes: int) -> Case:
    """Return a case of an operator, its meaning in plain PyTorch, and maybe the same in cupy."""
    ways: dict[str, Callable[[], Way] | None] = {
        "mrirecon": lambda: Way(ours),
        "plain PyTorch": lambda: Way(plain),
        "torch.compile": lambda: Way(torch.compile(plain)),
        "cupy": None if cupy is None else lambda: Way(cupy),
    }
    return Case(name, ways, plain, n_bytes)


def _by_cupy(function: Callable[..., Any], *operands: Tensor) -> Compute | None:
    """Return `function` of cupy and arrays over the operands' memory; none without cupy."""
    if not is_installed("cupy"):
        return None
    cupy = importlib.import_module("cupy")
    # A mask goes as bytes, which every version of DLPack knows.
    bytes_ = [x.view(torch.uint8) if x.dtype == torch.bool else x for x in operands]
    arrays = [cupy.from_dlpack(x) for x in bytes_]
    return lambda: from_dlpack(function(cupy, *arrays))


def _kspace_cases(kspace: Tensor, other: Tensor, mask: Tensor) -> list[Case]:
    sizes = "x".join(map(str, kspace.shape))
    return [
        _case(
            f"apply_mask {sizes}",
            lambda: ops.apply_mask(kspace, mask),
            lambda: masking.apply_mask(kspace, mask),
            _by_cupy(lambda xp, k, m: xp.where(m != 0, k, k.dtype.type(0)), kspace, mask),
            2 * kspace.nbytes,
        ),
        _case(
            f"enforce_consistency {sizes}",
            lambda: ops.enforce_consistency(kspace, other, mask),
            lambda: consistency.enforce_consistency(kspace, other, mask),
            _by_cupy(lambda xp, p, k, m: xp.where(m != 0, k, p), kspace, other, mask),
            round((2 + float(mask.float().mean())) * kspace.nbytes),
        ),
    ]


def _coil_cases(image: Tensor, coil_images: Tensor, maps: Tensor) -> list[Case]:
    sizes = "x".join(map(str, coil_images.shape))
    n_bytes = coil_images.nbytes + image.nbytes + maps.nbytes
    return [
        _case(
            f"expand_coils {sizes}, shared maps",
            lambda: ops.expand_coils(image, maps),
            lambda: coils.expand_coils(image, maps),
            _by_cupy(lambda xp, x, c: c * x, image, maps),
            n_bytes,
        ),
        _case(
            f"combine_coils {sizes}, shared maps",
            lambda: ops.combine_coils(coil_images, maps),
            lambda: coils.combine_coils(coil_images, maps),
            _by_cupy(lambda xp, x, c: (c.conj() * x).sum(1, keepdims=True), coil_images, maps),
            n_bytes,
        ),
    ]


def _ssim_case(prediction: Tensor, target: Tensor) -> Case:
    ours = partial(ops.ssim, prediction, target, data_range=4.0, window="uniform")
    plain = partial(ssim.ssim, prediction, target, data_range=4.0, window="uniform")
    name = f"ssim {'x'.join(map(str, prediction.shape))}, uniform"
    case = _case(name, ours, plain, None, prediction.nbytes + target.nbytes)
    case.ways.pop("cupy")  # it has none
    return case


def _norm_cases(planes: Tensor) -> list[Case]:
    slope = planes.new_full((1,), 0.25)
    orders = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}
    cases = []
    for order, memory_format in orders.items():
        features = planes.contiguous(memory_format=memory_format)
        ours = partial(ops.instance_norm, features, slope=slope)
        plain = partial(instance_norm.instance_norm, features, slope=slope)
        name = f"instance_norm {'x'.join(map(str, features.shape))}, {order}"
        cases.append(_case(name, ours, plain, None, 2 * features.nbytes))
        cases[-1].ways.pop("cupy")  # it has none
    return cases


def relative_error(way: Way, expected: Tensor) -> float:
    """Return the l2 distance of a result over the norm of what is right."""
    found = way.compute().to(expected.device) * way.scale
    norm = torch.linalg.vector_norm(expected)
    return float(torch.linalg.vector_norm(found - expected) / norm)
