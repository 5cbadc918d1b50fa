"""Keeping the measured samples of k-space: `ops.apply_mask`."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from mrirecon import ops
from mrirecon.bench.case import Case, Floors, Problem, Setup, Way
from mrirecon.bench.suites.operands import by_cupy, compiled, kspace_sizes, named, random_complex

NOISE_STD = 1e-4


def cases(setup: Setup) -> Iterator[Case]:
    """Yield line masks and masks of points, without and with noise."""
    for size in kspace_sizes(setup):
        for mask_size in (size[-1:], size[-2:]):
            for has_noise in (False, True):
                kind = "lines" if len(mask_size) == 1 else "points"
                noise = " with noise" if has_noise else ""
                yield Case(
                    "masking",
                    f"apply_mask{noise}, {kind}, {named(size)}",
                    partial(_make, setup.device, size, mask_size, has_noise=has_noise),
                    n_images=size[0] * size[1],
                )


def _make(
    device: torch.device, size: tuple[int, ...], mask_size: tuple[int, ...], *, has_noise: bool
) -> Problem:
    kspace = random_complex(size, device)
    mask = (torch.rand(mask_size) < 0.25).to(device)
    plain = partial(_where_noise if has_noise else _where, kspace, mask)
    noise_std = NOISE_STD if has_noise else 0.0
    ways: dict[str, Callable[[], Way]] = {
        "mrirecon": lambda: Way(lambda: ops.apply_mask(kspace, mask, noise_std=noise_std, seed=1)),
        "PyTorch: where": lambda: Way(plain),
        "torch.compile": lambda: Way(compiled(plain)),
    }
    if not has_noise:
        ways["PyTorch: multiply"] = lambda: Way(lambda: kspace * mask)
        ways["NumPy"] = lambda: _by_numpy(kspace, mask)
        ways["cupy"] = lambda: Way(
            by_cupy(lambda xp, k, m: xp.where(m != 0, k, k.dtype.type(0)), kspace, mask)
        )
    return Problem(
        ways=ways,
        expected=lambda: kspace.to(torch.complex128) * mask,
        tolerance=2 * NOISE_STD if has_noise else 0.0,  # the noise itself, or exactly
        floors=Floors(n_bytes=2 * kspace.nbytes),
    )


def _where(kspace: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask, kspace, 0)


def _where_noise(kspace: Tensor, mask: Tensor) -> Tensor:
    noise = (2**0.5 * NOISE_STD) * torch.randn_like(kspace)
    return torch.where(mask, kspace + noise, 0)


def _by_numpy(kspace: Tensor, mask: Tensor) -> Way:
    array, chosen = kspace.numpy(), mask.numpy()
    return Way(lambda: array * chosen)
