// How an operator reaches its kernels. Every operator packs its pointers and sizes into one plain
// struct, `Args`; a backend offers one function for it. No torch header is needed to write a
// kernel.
#pragma once

#include <cstdint>

namespace mrirecon {

using Stream = void*;  // a cudaStream_t, seen by code that has no CUDA header

// Instruction sets the CPU kernels are compiled for, in rising order.
enum class Simd : int { baseline = 0, avx2 = 1, avx512 = 2 };

Simd simd_level();                // the one in use: the best of this processor unless set
bool set_simd_level(Simd level);  // false if this build or this processor lacks it

// Run items [begin, end) of `args` on the CPU. Explicitly instantiated in cpu/<stem>.cpp, which is
// compiled once per instruction set.
template <Simd level, class Args>
void run_items(const Args& args, int64_t begin, int64_t end);

// The CUDA launcher of `Args`; null where no CUDA kernels are compiled in.
template <class Args>
struct CudaLauncher {
  static inline void (*launch)(const Args&, Stream) = nullptr;
};

// A .cu file defines one constant of this type for each launcher it offers.
template <class Args>
struct RegisterCuda {
  explicit RegisterCuda(void (*launch)(const Args&, Stream)) {
    CudaLauncher<Args>::launch = launch;
  }
};

}  // namespace mrirecon
