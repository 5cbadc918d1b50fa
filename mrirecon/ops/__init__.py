"""Operators on tensors, each one pass over memory, in C++ on the CPU and CUDA on the GPU.

Each also takes NumPy arrays, or cupy arrays, and then returns one (`mrirecon.ops.arrays`).
"""

from mrirecon.ops import gridding  # noqa: F401  (registers the NUFFT of a GPU)
from mrirecon.ops.coils import combine_coils, expand_coils
from mrirecon.ops.consistency import enforce_consistency
from mrirecon.ops.instance_norm import instance_norm
from mrirecon.ops.masking import apply_mask
from mrirecon.ops.round_trip import keep_measured, undersample_image, weigh_kspace
from mrirecon.ops.ssim import ssim, ssim_map

__all__ = [
    "apply_mask",
    "combine_coils",
    "enforce_consistency",
    "expand_coils",
    "instance_norm",
    "keep_measured",
    "ssim",
    "ssim_map",
    "undersample_image",
    "weigh_kspace",
]
