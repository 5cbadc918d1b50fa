"""Count the bytes that compositions of PyTorch's operations move."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from roofline.model import Line
from roofline.plain import COMPOSITIONS, Make


class ByteCounter(TorchDispatchMode):
    """Counts what each operation reads and writes, but for views, which move nothing.

    An operand that is broadcast counts as what is stored of it.
    """

    def __init__(self) -> None:
        """Begin at 0."""
        super().__init__()
        self.n_bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count its tensors, each once."""
        result = func(*args, **(kwargs or {}))
        aliases = [returned.alias_info for returned in func._schema.returns]
        is_view = any(alias is not None and not alias.is_write for alias in aliases)
        if not is_view:
            is_new = func.name().startswith(("aten::empty", "aten::new_empty"))
            for moved in () if is_new else ((args, kwargs), result):  # read, written
                tensors = {id(x): x for x in tree_leaves(moved) if isinstance(x, Tensor)}
                self.n_bytes += sum(map(_stored_bytes, tensors.values()))
        return result


def _stored_bytes(tensor: Tensor) -> int:
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())


def plain_bytes(line: Line) -> int:
    """Count the bytes of a line's composition, on tensors without data."""
    operation = COMPOSITIONS[line.plain](line.sizes, _maker(line.dtype))
    with ByteCounter() as counter:
        operation()
    return counter.n_bytes


def _maker(dtype: torch.dtype) -> Make:
    def make(*shape: int, real: bool = False) -> Tensor:
        return torch.empty(shape, dtype=dtype.to_real() if real else dtype, device="meta")

    return make
