// What arithmetic headers need to compile for a host and for a GPU.
#pragma once

#ifdef __CUDACC__
#define MRIRECON_HD __host__ __device__ __forceinline__
#else
// Forced, not only hinted: CPU kernels are compiled once per instruction set, and a function left
// out of line would be merged by the linker with its twin of another instruction set.
#define MRIRECON_HD inline __attribute__((always_inline))
#endif

namespace mrirecon {

// One complex number, aligned so that a GPU moves it in one 8- or 16-byte access.
template <class T>
struct alignas(2 * sizeof(T)) Complex {
  T re, im;
};

}  // namespace mrirecon
