# The test library: the CUDA kernels of csrc/cuda, compiled by g++ against the emulator.
