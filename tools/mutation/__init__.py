"""Seeded faults in the CUDA kernels, each of which the tests must catch."""
