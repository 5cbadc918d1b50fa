"""Operators on tensors, each one pass over memory, in C++ on the CPU and CUDA on the GPU."""

from mrirecon.ops.masking import apply_mask

__all__ = ["apply_mask"]
