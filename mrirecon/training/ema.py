"""The moving average of the generator's weights.

Source: Yazici et al. 2019 (arXiv 1806.04498): averaging damps the cycling of two networks that
play against each other.
"""

import torch
from torch import nn


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, *, decay: float, step: int) -> None:
    """Move each parameter of `average` towards `model`; average = d average + (1 - d) model.

    d = min(decay, (1 + step) / (10 + step)), so that the first steps, which differ most from the
    result, are forgotten soon. Buffers are copied.

    Args:
        average: changed in place.
        model: of the same class and configuration.
        decay: in [0, 1).
        step: steps done before this one.
    """
    decay = min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1.0 - decay)
    for kept, new in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(new)
