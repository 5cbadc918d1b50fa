"""The meaning of each operator in plain PyTorch; imported by tests and benchmarks only."""
