// The launchers of csrc/cuda for NumPy arrays, without a tensor of torch in between.
#pragma once

#include <pybind11/pybind11.h>

namespace mrirecon::emulator {

// Add one function for each stem; each writes into its last array.
void define_numpy_kernels(pybind11::module_& module);

}  // namespace mrirecon::emulator
