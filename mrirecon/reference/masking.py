"""Meaning of `mrirecon.ops.apply_mask` in plain PyTorch.

Noise: Philox4x32-10 (Salmon et al. 2011, DOI 10.1145/2063384.2063405) and Box and Muller (1958,
DOI 10.1214/aoms/1177706645), written for tensors.
"""

import math

import torch
from torch import Tensor

_WORD = 0xFFFFFFFF


def philox(seed: int, n_counters: int) -> Tensor:
    """Return the four 32-bit words of each counter 0 .. n - 1 as int64, (n_counters, 4)."""
    counter = torch.arange(n_counters)
    words = [counter & _WORD, counter >> 32, torch.zeros_like(counter), torch.zeros_like(counter)]
    keys = [seed & _WORD, (seed >> 32) & _WORD]
    for _ in range(10):
        # The product wraps around in int64; the shift's sign bits are masked away.
        products = [words[0] * 0xD2511F53, words[2] * 0xCD9E8D57]
        high = [(product >> 32) & _WORD for product in products]
        low = [product & _WORD for product in products]
        words = [high[1] ^ words[1] ^ keys[0], low[1], high[0] ^ words[3] ^ keys[1], low[0]]
        keys = [(keys[0] + 0x9E3779B9) & _WORD, (keys[1] + 0xBB67AE85) & _WORD]
    return torch.stack(words, dim=1)


def complex_normal(seed: int, shape: torch.Size, dtype: torch.dtype) -> Tensor:
    """Return noise of the given shape; real and imaginary part have standard deviation 1."""
    words = philox(seed, shape.numel())
    if dtype == torch.complex64:
        uniform = [((words[:, i] >> 9).double() + 0.5) * 2.0**-23 for i in (0, 2)]
    else:
        high_bits = [words[:, i] << 20 | words[:, i + 1] >> 12 for i in (0, 2)]
        uniform = [(bits.double() + 0.5) * 2.0**-52 for bits in high_bits]
    radius, angle = torch.sqrt(-2 * torch.log(uniform[0])), 2 * math.pi * uniform[1]
    return torch.polar(radius, angle).to(dtype).reshape(shape)


def apply_mask(
    kspace: Tensor, mask: Tensor, *, noise_std: float | Tensor = 0.0, seed: int | Tensor = 0
) -> Tensor:
    """Return mask * (kspace + noise); arguments as in `mrirecon.ops.apply_mask`."""
    if mask.dim() == 3:  # (batch, rows, cols) over (batch, ..., rows, cols)
        mask = mask.reshape(mask.shape[0], *[1] * (kspace.dim() - 3), *mask.shape[1:])
    if isinstance(seed, Tensor):
        one = [complex_normal(each, kspace.shape[1:], kspace.dtype) for each in seed.tolist()]
        noise = torch.stack(one)
    else:
        noise = complex_normal(seed, kspace.shape, kspace.dtype)
    if isinstance(noise_std, Tensor):
        noise_std = noise_std.reshape(-1, *[1] * (kspace.dim() - 1))
    return torch.where(mask, kspace + noise_std * noise, torch.zeros((), dtype=kspace.dtype))
