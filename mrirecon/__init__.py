"""Reconstruction of undersampled MR k-space: fused kernels, a GAN, and honest scores."""

from mrirecon.nufft import Nufft
from mrirecon.version import __version__

__all__ = ["Nufft", "__version__"]
