"""Reconstruction without a network, on CPU and GPU tensors."""

from mrirecon.classical.coil_maps import espirit_maps, walsh_maps
from mrirecon.classical.coils import compress_coils, prewhiten, root_sum_of_squares
from mrirecon.classical.conjugate_gradient import Solution, conjugate_gradient
from mrirecon.classical.off_grid import (
    cg_sense_off_grid,
    enforce_off_grid_consistency,
    replace_spokes,
)
from mrirecon.classical.sense import cg_sense, sense_normal

__all__ = [
    "Solution",
    "cg_sense",
    "cg_sense_off_grid",
    "compress_coils",
    "conjugate_gradient",
    "enforce_off_grid_consistency",
    "espirit_maps",
    "prewhiten",
    "replace_spokes",
    "root_sum_of_squares",
    "sense_normal",
    "walsh_maps",
]
