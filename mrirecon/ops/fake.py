"""Register what an operator gives for tensors without data: shape and dtype, and its errors."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor

from mrirecon import native  # noqa: F401  (loads the library that defines the operators)


def register_fake(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as the fake kernel of `mrirecon::name`.

    torch also calls it where one of several operands is a meta tensor, whose result would be
    memory that nothing was written to; so operands on two devices are an error here too.

    Raises:
        ValueError: when called, operands on two devices; the text is that of csrc/check.h.
    """
    schema = getattr(torch.ops.mrirecon, name).default._schema

    def register(kernel: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(kernel)
        def checked(*operands: Any) -> Any:
            named = zip(schema.arguments, operands, strict=True)
            tensors = {argument.name: x for argument, x in named if isinstance(x, Tensor)}
            device = next(iter(tensors.values())).device
            for argument, tensor in tensors.items():
                if tensor.device != device:
                    raise ValueError(
                        f"{argument}: expected {device}, the device of the other tensors, "
                        f"got {tensor.device}"
                    )
            return kernel(*operands)

        torch.library.register_fake(f"mrirecon::{name}", checked)
        return kernel

    return register
