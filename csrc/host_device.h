// What arithmetic headers need to compile for a host and for a GPU.
#pragma once

#include <cmath>

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

template <class T>
MRIRECON_HD Complex<T> scaled(T factor, Complex<T> value) {
  return {factor * value.re, factor * value.im};
}

// exp(2 pi i turns). On a GPU by a function that need not reduce large angles: that of cos takes a
// stack, spills registers and, in the float version too, computes in double.
template <class T>
MRIRECON_HD Complex<T> unit_phase(T turns) {
#ifdef __CUDA_ARCH__
  Complex<T> phase;
  sincospi(2 * turns, &phase.im, &phase.re);
  return phase;
#else
  const T angle = T(6.283185307179586476925) * turns;
  return {std::cos(angle), std::sin(angle)};
#endif
}

}  // namespace mrirecon
