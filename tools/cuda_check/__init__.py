"""Static facts of every CUDA kernel on every architecture, held against a committed baseline."""
