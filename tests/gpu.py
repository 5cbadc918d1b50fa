"""The operators on a GPU, for test bodies that hold tensors of the CPU."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

GPU = pytest.param("gpu", marks=pytest.mark.requires_cuda)


class GpuOperators:
    """Has the operators of `torch.ops.mrirecon`; tensors go to the GPU, results come back."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the operator `name`, moved."""
        operator = getattr(torch.ops.mrirecon, name)

        def call(*arguments: Any) -> Any:
            moved = tree_map_only(Tensor, lambda tensor: tensor.cuda(), arguments)
            return tree_map_only(Tensor, lambda tensor: tensor.cpu(), operator(*moved))

        return call
