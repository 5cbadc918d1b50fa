"""Meaning of `mrirecon.ops.enforce_consistency` in plain PyTorch.

Schlemper et al. 2018, equation 7 (DOI 10.1109/TMI.2017.2760978).
"""

import torch
from torch import Tensor


def enforce_consistency(
    prediction: Tensor, measured: Tensor, mask: Tensor, *, noise_weight: Tensor | None = None
) -> Tensor:
    """Return the consistent k-space; arguments as in `mrirecon.ops.enforce_consistency`."""
    if mask.dim() == 3:  # (batch, rows, cols) over (batch, ..., rows, cols)
        mask = mask.reshape(mask.shape[0], *[1] * (prediction.dim() - 3), *mask.shape[1:])
    if noise_weight is None:
        return torch.where(mask, measured, prediction)
    blend = (prediction + noise_weight * measured) / (1 + noise_weight)
    return torch.where(mask, blend, prediction)
