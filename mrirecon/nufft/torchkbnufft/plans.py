"""Plans found again by the trajectory that they were made for."""

import weakref
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor

from mrirecon.nufft.operator import Nufft
from mrirecon.nufft.torchkbnufft.arguments import radians_to_coords

_N_PLANS = 4  # trajectories of one module, for which plans are kept


class Plans:
    """The plans of the trajectories used last, found by identity and version of `omega`.

    A trajectory that was changed in place is planned again, as is one that is another tensor with
    the same values. Plans of trajectories with gradients are not kept. A copy starts without any.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Any, ...], tuple[weakref.ref[Tensor], Nufft]] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {"_known": OrderedDict()}

    def find(
        self, omega: Tensor, shape: tuple[int, ...], dtype: torch.dtype, accuracy: float, n: int
    ) -> Nufft:
        """Give the plan for `n` images of a complex dtype."""
        if omega.requires_grad:
            return Nufft(radians_to_coords(omega, shape, dtype), shape, accuracy, n_images=n)
        key = (id(omega), omega._version, dtype, n)
        known = self._known.get(key)
        if known is None or known[0]() is not omega:
            op = Nufft(radians_to_coords(omega, shape, dtype), shape, accuracy, n_images=n)
            known = self._known[key] = (weakref.ref(omega), op)
        self._known.move_to_end(key)
        while len(self._known) > _N_PLANS:
            self._known.popitem(last=False)
        return known[1]
