"""A copy of a generator made ready to be used, in the arithmetic asked for."""

import copy

import torch
from torch import nn

from mrirecon.models.generator import Generator


def ready_for_use(
    generator: Generator, dtype: torch.dtype, device: torch.device | str
) -> Generator:
    """Copy a generator for reconstructing alone, which it then does in half the time or less.

    Weights are channels-last; those of convolutions are cast once, where autocast casts them at
    each call. The image, its sum with the network's correction, and data consistency stay in
    float32.

    Args:
        generator: left as it is.
        dtype: of the network's arithmetic: float32, bfloat16 or float16.
        device: where the copy goes.

    Returns:
        The copy, in evaluation mode, without gradients.
    """
    ready = copy.deepcopy(generator).eval().requires_grad_(False).to(device)
    ready.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if dtype != torch.float32:
        ready.arithmetic = dtype
        for module in ready.network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.to(dtype)
    return ready
