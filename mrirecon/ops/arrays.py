"""Let operators take and return NumPy and cupy arrays, without copying them (DLPack)."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec

import numpy as np
import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

P = ParamSpec("P")


def takes_arrays(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Let `function` of tensors also take arrays of one library; it then returns one of these.

    NumPy arrays are used in place, but for those that are read-only or have a negative stride,
    which are copied. cupy arrays are used in place, on cupy's current stream. Tensors pass
    untouched. No gradient flows through arrays.

    Raises:
        ValueError: arrays of one library beside tensors or arrays of another; the argument.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        if args and isinstance(args[0], Tensor):  # the usual case, first
            return function(*args, **kwargs)
        operands = signature(function).bind(*args, **kwargs).arguments
        kinds = {name: kind for name, value in operands.items() if (kind := _kind_of(value))}
        first = next(iter(kinds.items()), ("", "torch"))
        if first[1] == "torch":
            return function(*args, **kwargs)
        for name, kind in kinds.items():
            if kind != first[1]:
                raise ValueError(f"{name}: expected a {first[1]} array as {first[0]}, got {kind}")
        arrays = {name: operands[name] for name in kinds}
        return _call_with_arrays(function, operands, arrays, first[1])

    return call


def _kind_of(value: object) -> str:
    """Return the library of an array or tensor; nothing for other values."""
    if isinstance(value, Tensor):
        return "torch"
    if isinstance(value, np.ndarray):
        return "numpy"
    is_cupy = type(value).__module__.partition(".")[0] == "cupy"
    return "cupy" if is_cupy and hasattr(value, "__dlpack__") else ""


def _call_with_arrays(
    function: Callable[..., Tensor], operands: dict[str, Any], arrays: dict[str, Any], kind: str
) -> Any:
    if kind == "numpy":
        tensors = {name: _tensor_of(array) for name, array in arrays.items()}
        return function(**(operands | tensors)).numpy()
    cupy: Any = sys.modules["cupy"]  # imported, since there is an array of it
    with _stream_of(cupy):
        tensors = {name: from_dlpack(array) for name, array in arrays.items()}
        return cupy.from_dlpack(function(**(operands | tensors)))


def _tensor_of(array: np.ndarray) -> Tensor:
    """Return a tensor over the array's memory, or over a copy's where torch cannot have it."""
    is_plain = array.flags.writeable and all(stride >= 0 for stride in array.strides)
    return torch.from_numpy(array if is_plain else array.copy())


def _stream_of(cupy: Any) -> AbstractContextManager[None]:
    """Make cupy's current stream torch's too."""
    device = torch.device("cuda", cupy.cuda.runtime.getDevice())
    pointer = cupy.cuda.get_current_stream().ptr
    return torch.cuda.stream(torch.cuda.ExternalStream(pointer, device=device))
