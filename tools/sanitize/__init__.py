"""The emulated kernels under the sanitizers of the C++ compiler."""
