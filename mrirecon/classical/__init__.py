"""Reconstruction without a network, on CPU and GPU tensors."""

from mrirecon.classical.coil_maps import espirit_maps, walsh_maps
from mrirecon.classical.coils import (
    compress_coils,
    compress_coils_geometric,
    prewhiten,
    root_sum_of_squares,
)
from mrirecon.classical.compressed_sensing import reconstruct_total_variation, reconstruct_wavelet
from mrirecon.classical.conjugate_gradient import Solution, conjugate_gradient
from mrirecon.classical.encoding import Encoding
from mrirecon.classical.methods import (
    HomodyneConfig,
    MethodConfig,
    MethodName,
    PocsConfig,
    PriorConfig,
    SenseConfig,
    TotalVariationConfig,
    WaveletConfig,
    ZeroFilledConfig,
    get_method,
    reconstruct,
)
from mrirecon.classical.noise import noise_amplification
from mrirecon.classical.off_grid import (
    cg_sense_off_grid,
    enforce_off_grid_consistency,
    replace_spokes,
)
from mrirecon.classical.partial_fourier import reconstruct_homodyne, reconstruct_pocs
from mrirecon.classical.proximal import Descent, proximal_gradient
from mrirecon.classical.scan import (
    ScanPart,
    crop_images,
    estimate_maps,
    reconstruct_scan,
    split_scan,
)
from mrirecon.classical.sense import cg_sense, sense_normal
from mrirecon.classical.total_variation import total_variation
from mrirecon.classical.wavelets import daubechies, inverse_wavelet_transform, wavelet_transform
from mrirecon.data.coil_ring import ring_coil_maps

__all__ = [
    "Descent",
    "Encoding",
    "HomodyneConfig",
    "MethodConfig",
    "MethodName",
    "PocsConfig",
    "PriorConfig",
    "ScanPart",
    "SenseConfig",
    "Solution",
    "TotalVariationConfig",
    "WaveletConfig",
    "ZeroFilledConfig",
    "cg_sense",
    "cg_sense_off_grid",
    "compress_coils",
    "compress_coils_geometric",
    "conjugate_gradient",
    "crop_images",
    "daubechies",
    "enforce_off_grid_consistency",
    "espirit_maps",
    "estimate_maps",
    "get_method",
    "inverse_wavelet_transform",
    "noise_amplification",
    "prewhiten",
    "proximal_gradient",
    "reconstruct",
    "reconstruct_homodyne",
    "reconstruct_pocs",
    "reconstruct_scan",
    "reconstruct_total_variation",
    "reconstruct_wavelet",
    "replace_spokes",
    "ring_coil_maps",
    "root_sum_of_squares",
    "sense_normal",
    "split_scan",
    "total_variation",
    "walsh_maps",
    "wavelet_transform",
]
