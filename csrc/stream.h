// The CUDA stream that torch works on.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <stdexcept>

#include "backend.h"

namespace mrirecon {

// torch::stable has it from 2.13 on. Older ones offer the same in the C interface that compiled
// models use, which is in the CUDA part of torch alone: looked up there, since a library that
// named it would not load without CUDA.
// Throws: std::runtime_error if torch has no CUDA, or no such device.
inline Stream current_stream(int32_t device) {
  using Function = int32_t (*)(int32_t, void**);
  static const auto function = [] {
    void* library = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD);
    void* symbol = library ? dlsym(library, "aoti_torch_get_current_cuda_stream") : nullptr;
    return reinterpret_cast<Function>(symbol);
  }();
  Stream stream = nullptr;
  if (!function || function(device, &stream) != 0)
    throw std::runtime_error("torch gives no CUDA stream: expected a torch built with CUDA");
  return stream;
}

}  // namespace mrirecon
