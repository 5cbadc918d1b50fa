"""Reconstruction without a network, on CPU and GPU tensors."""

from mrirecon.classical.conjugate_gradient import Solution, conjugate_gradient

__all__ = ["Solution", "conjugate_gradient"]
