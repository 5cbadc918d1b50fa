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
#endif

namespace mrirecon {

// launch_kernel<kernel>(grid, block, shared_bytes, stream, arguments...)
//   Launch `kernel` on `stream`; a plain call instead of <<<>>>, so that g++ compiles the file too.
//   Throws: std::runtime_error with the launch's sizes and CUDA's own text if it is refused.
//
// Layout& layout = shared_memory<Layout>();
//   Static shared memory: one `Layout`, a struct of arrays, for each block. A type names the
//   memory: every call with the same type gives the same object.
//
// T* values = dynamic_shared_memory<T>();
//   The `shared_bytes` of the launch, aligned to 16 bytes.

#ifdef MRIRECON_EMULATED

template <auto kernel, class... Arguments>
void launch_kernel(dim3 grid, dim3 block, size_t shared_bytes, Stream,
                   const Arguments&... arguments) {
  emulator::run_grid({emulator::kernel_name<kernel>(), grid, block, shared_bytes,
                      [&] { kernel(arguments...); }, emulator::settings()});
}

template <class Layout>
Layout& shared_memory() {
  static const char key = 0;  // its address stands for the type
  void* memory = emulator::Block::current().shared().static_part(&key, sizeof(Layout));
  return *static_cast<Layout*>(memory);
}

template <class T>
T* dynamic_shared_memory() {
  return static_cast<T*>(emulator::Block::current().shared().dynamic_part());
}

#else

template <auto kernel, class... Arguments>
void launch_kernel(dim3 grid, dim3 block, size_t shared_bytes, Stream stream,
                   const Arguments&... arguments) {
  const auto check = [&](cudaError_t error) {
    if (error == cudaSuccess) return;
    const auto text = [](dim3 size) {
      return std::to_string(size.x) + " x " + std::to_string(size.y) + " x " +
             std::to_string(size.z);
    };
    throw std::runtime_error("CUDA refused a launch of " + text(grid) + " blocks of " +
                             text(block) + " threads with " + std::to_string(shared_bytes) +
                             " bytes of dynamic shared memory: " + cudaGetErrorString(error));
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
  check(cudaLaunchKernelEx(&config, kernel, arguments...));
}

template <class Layout>
__device__ __forceinline__ Layout& shared_memory() {
  __shared__ Layout memory;
  return memory;
}

template <class T>
__device__ __forceinline__ T* dynamic_shared_memory() {
  extern __shared__ __align__(16) unsigned char memory[];
  return reinterpret_cast<T*>(memory);
}

#endif

}  // namespace mrirecon
