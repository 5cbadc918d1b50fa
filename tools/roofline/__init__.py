"""What CUDA kernels must move and compute, counted on paper: docs/roofline.md."""
