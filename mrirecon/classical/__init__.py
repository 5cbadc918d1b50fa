"""Reconstruction without a network, on CPU and GPU tensors."""

from mrirecon.classical.coil_maps import espirit_maps, walsh_maps
from mrirecon.classical.coils import compress_coils, prewhiten, root_sum_of_squares
from mrirecon.classical.conjugate_gradient import Solution, conjugate_gradient
from mrirecon.classical.sense import cg_sense, sense_normal

__all__ = [
    "Solution",
    "cg_sense",
    "compress_coils",
    "conjugate_gradient",
    "espirit_maps",
    "prewhiten",
    "root_sum_of_squares",
    "sense_normal",
    "walsh_maps",
]
