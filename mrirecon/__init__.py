"""Reconstruction of undersampled MR k-space: fused kernels, a GAN, and honest scores."""

import importlib
from typing import TYPE_CHECKING, Any

from mrirecon.nufft import Nufft
from mrirecon.version import __version__

if TYPE_CHECKING:
    from mrirecon.training import load

__all__ = ["Nufft", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """Give `load`; who only wants kernels does not wait for file formats and networks."""
    if name == "load":
        return importlib.import_module("mrirecon.training").load
    raise AttributeError(f"module 'mrirecon' has no attribute {name!r}")
