// What was built and what is in use; read by mrirecon/native.py through ctypes, since these are no
// tensor operations and a C symbol depends on no Python version.
#include <atomic>

#include "backend.h"

namespace mrirecon {
namespace {

Simd best_level() {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return Simd::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Simd::avx2;
#endif
  return Simd::baseline;
}

std::atomic<Simd>& level_in_use() {
  static std::atomic<Simd> level{best_level()};
  return level;
}

}  // namespace

Simd simd_level() { return level_in_use().load(std::memory_order_relaxed); }

bool set_simd_level(Simd level) {
  if (level < Simd::baseline || level > best_level()) return false;
  level_in_use().store(level, std::memory_order_relaxed);
  return true;
}

}  // namespace mrirecon

#define MRIRECON_EXPORT extern "C" __attribute__((visibility("default")))

MRIRECON_EXPORT int mrirecon_simd_level() { return static_cast<int>(mrirecon::simd_level()); }
MRIRECON_EXPORT int mrirecon_set_simd_level(int level) {
  return mrirecon::set_simd_level(static_cast<mrirecon::Simd>(level));
}
// Architectures the CUDA kernels are compiled for, as CMake names them; empty without CUDA.
MRIRECON_EXPORT const char* mrirecon_cuda_architectures() { return MRIRECON_CUDA_ARCHITECTURES; }
MRIRECON_EXPORT const char* mrirecon_compiler() { return __VERSION__; }
