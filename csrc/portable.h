// The one header through which a .cu file sees CUDA, or the CPU emulation of it in the test build.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include "backend.h"

#ifdef MRIRECON_EMULATED
#include "emulator/cuda.h"
#else
#include <cuda_runtime.h>

namespace mrirecon {

// Launch `kernel` on `stream`; a plain call instead of <<<>>>, so that g++ compiles the file too.
// Throws: std::runtime_error with CUDA's own text if the launch is refused.
template <class... Parameters, class... Arguments>
void launch_kernel(dim3 grid, dim3 block, size_t shared_bytes, Stream stream,
                   void (*kernel)(Parameters...), const Arguments&... arguments) {
  const auto check = [](cudaError_t error) {
    if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
  };
  constexpr size_t kDefaultSharedBytes = 48 * 1024;  // more must be asked for, per kernel
  if (shared_bytes > kDefaultSharedBytes)
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                               cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shared_bytes)));
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = static_cast<cudaStream_t>(stream);
  check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...));
}

}  // namespace mrirecon

// Shared memory of one block: `name` points to `count` values of type T.
#define MRIRECON_SHARED(T, name, count) __shared__ T name[count]
#define MRIRECON_DYNAMIC_SHARED(T, name)                                 \
  extern __shared__ __align__(16) unsigned char mrirecon_shared_bytes[]; \
  T* name = reinterpret_cast<T*>(mrirecon_shared_bytes)
#endif
