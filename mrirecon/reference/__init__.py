"""Each op again in plain PyTorch, in any precision: what it means. For tests and benchmarks."""
