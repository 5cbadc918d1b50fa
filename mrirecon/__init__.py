"""Reconstruction of undersampled MR k-space: fused kernels, a GAN, and honest scores."""

from mrirecon.version import __version__

__all__ = ["__version__"]
