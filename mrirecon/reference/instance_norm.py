"""Meaning of `mrirecon.ops.instance_norm` in plain PyTorch.

Sources: Ulyanov et al. 2016 (arXiv 1607.08022) for instance norm; He et al. 2015
(10.1109/ICCV.2015.123) for PReLU.
"""

import torch
from torch import Tensor
from torch.nn import functional


def instance_norm(
    x: Tensor,
    *,
    slope: Tensor | None = None,
    keep: Tensor | None = None,
    residual: Tensor | None = None,
    pad: int = 0,
    eps: float = 1e-5,
) -> Tensor:
    """Return residual + padded(keep * prelu(normalised x)).

    Arguments as in `mrirecon.ops.instance_norm`.
    """
    centred = x - x.mean((-2, -1), keepdim=True)
    out = centred / torch.sqrt(centred.square().mean((-2, -1), keepdim=True) + eps)
    if slope is not None:
        out = torch.where(out > 0, out, slope * out)
    if keep is not None:
        out = out * keep[..., None, None]
    if pad:
        out = functional.pad(out, (pad,) * 4, mode="reflect")
    return out if residual is None else residual + out
