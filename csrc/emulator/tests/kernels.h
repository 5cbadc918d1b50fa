// The sample kernels by name, for the Python tests.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "emulator/types.h"

namespace mrirecon::emulator {

struct Shape {
  dim3 grid, block;
  size_t shared_bytes;
};

using SampleKernel = void (*)(const Shape&, const float* in, float* out, int n);

const std::map<std::string, SampleKernel>& sample_kernels();

}  // namespace mrirecon::emulator
