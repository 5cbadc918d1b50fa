"""Operators beside their meaning in plain PyTorch, at a size that fills a GPU."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mrirecon import ops
from mrirecon.reference import coils, consistency, masking, ssim

_TOLERANCE = 1e-4  # relative, between two float32 results; a wrong kernel is off by far more


@dataclass(frozen=True)
class Case:
    """Two ways to one result.

    Attributes:
        name: of the operator and its sizes.
        ours: the operator of this package.
        plain: the same in plain PyTorch.
        n_bytes: that must move at least: operands read once, the result written once.
    """

    name: str
    ours: Callable[[], Tensor]
    plain: Callable[[], Tensor]
    n_bytes: int


def make_cases(device: str, batch: int = 16, size: int = 320) -> list[Case]:
    """Return a case for each operator; operands are made on `device`, with one seed."""
    generator = torch.Generator(device).manual_seed(1)

    def draw(*shape: int) -> Tensor:
        shape = (*shape, size, size)
        return torch.randn(shape, dtype=torch.complex64, device=device, generator=generator)

    kspace, other, maps = draw(batch, 8), draw(batch, 8), draw(1, 8)
    image, prediction = draw(batch, 1), kspace.real[:, 0].contiguous()
    target = other.real[:, 0].contiguous()
    mask = torch.rand(size, device=device, generator=generator) < 0.25
    n_measured = float(mask.float().mean())

    def ssim_of(module: object) -> Callable[[], Tensor]:
        function: Callable[..., Tensor] = module.ssim  # type: ignore[attr-defined]
        return lambda: function(prediction, target, data_range=4.0, window="uniform")

    return [
        Case(
            f"apply_mask {batch}x8x{size}x{size}",
            lambda: ops.apply_mask(kspace, mask),
            lambda: masking.apply_mask(kspace, mask),
            2 * kspace.nbytes,
        ),
        Case(
            f"enforce_consistency {batch}x8x{size}x{size}",
            lambda: ops.enforce_consistency(kspace, other, mask),
            lambda: consistency.enforce_consistency(kspace, other, mask),
            round((2 + n_measured) * kspace.nbytes),
        ),
        Case(
            f"expand_coils {batch}x8x{size}x{size}, shared maps",
            lambda: ops.expand_coils(image, maps),
            lambda: coils.expand_coils(image, maps),
            kspace.nbytes + image.nbytes + maps.nbytes,
        ),
        Case(
            f"combine_coils {batch}x8x{size}x{size}, shared maps",
            lambda: ops.combine_coils(kspace, maps),
            lambda: coils.combine_coils(kspace, maps),
            kspace.nbytes + image.nbytes + maps.nbytes,
        ),
        Case(
            f"ssim {batch}x{size}x{size}, uniform",
            ssim_of(ops),
            ssim_of(ssim),
            prediction.nbytes + target.nbytes,
        ),
    ]


def relative_error(case: Case) -> float:
    """Return the l2 distance of the two results over the plain one's norm.

    Raises:
        ValueError: it is too large to be rounding.
    """
    plain = case.plain()
    error = float(torch.linalg.vector_norm(case.ours() - plain) / torch.linalg.vector_norm(plain))
    if not error <= _TOLERANCE:
        raise ValueError(f"{case.name}: expected an error up to {_TOLERANCE}, got {error}")
    return error
