// The sample kernels by name, for the Python tests. Each reads `n` numbers and writes `n`.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "portable.h"

namespace mrirecon::emulator {

struct Shape {
  dim3 grid, block;
  size_t shared_bytes;
};

using SampleKernel = void (*)(const Shape&, const float* in, float* out, int n);

inline std::map<std::string, SampleKernel>& sample_kernels() {
  static std::map<std::string, SampleKernel> kernels;
  return kernels;
}

template <auto kernel>
void launch_sample(const Shape& shape, const float* in, float* out, int n) {
  launch_kernel<kernel>(shape.grid, shape.block, shape.shared_bytes, nullptr, in, out, n);
}

// A file of samples defines one constant of this type.
template <auto... kernels>
struct RegisterSamples {
  RegisterSamples() {
    (sample_kernels().emplace(kernel_name<kernels>(), launch_sample<kernels>), ...);
  }
};

// What every sample uses.
constexpr unsigned kAllLanes = 0xffffffffu;
constexpr int kBlock = 256;  // the most threads of a block that these kernels have memory for

struct Row {
  float value[kBlock];
};

__device__ inline int linear_thread() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}
__device__ inline int linear_block() {
  return blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
}
__device__ inline int position() {
  return linear_block() * (blockDim.x * blockDim.y * blockDim.z) + linear_thread();
}

}  // namespace mrirecon::emulator
