// A pack: as many doubles as one register of the instruction set holds. Written with the compiler's
// vector types (GCC and Clang), so that one source serves every instruction set.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "items.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

constexpr int kLanes = kSimd == Simd::avx512 ? 8 : kSimd == Simd::avx2 ? 4 : 2;

typedef double Pack __attribute__((vector_size(8 * kLanes)));
typedef float FloatPack __attribute__((vector_size(4 * kLanes)));

// P is Pack, or double for the columns that fill no pack.
template <class P>
inline P load(const double* source) {
  P pack;
  std::memcpy(&pack, source, sizeof pack);
  return pack;
}
template <class P>
inline P load(const float* source) {
  if constexpr (sizeof(P) == sizeof(double)) {
    return *source;
  } else {
    FloatPack pack;
    std::memcpy(&pack, source, sizeof pack);
    return __builtin_convertvector(pack, P);
  }
}

template <class P>
inline void store(const P& pack, double* out) {
  std::memcpy(out, &pack, sizeof pack);
}
template <class P>
inline void store(const P& pack, float* out) {
  if constexpr (sizeof(P) == sizeof(double)) {
    *out = static_cast<float>(pack);
  } else {
    const FloatPack narrow = __builtin_convertvector(pack, FloatPack);
    std::memcpy(out, &narrow, sizeof narrow);
  }
}

template <int first, int... lane>
inline Pack interleave(const Pack& a, const Pack& b, std::integer_sequence<int, lane...>) {
#if __has_builtin(__builtin_shufflevector)  // Clang, and GCC from version 12 on
  return __builtin_shufflevector(a, b, (first + lane / 2 + lane % 2 * kLanes)...);
#else
  typedef int64_t Index __attribute__((vector_size(8 * kLanes)));
  return __builtin_shuffle(a, b, Index{(first + lane / 2 + lane % 2 * kLanes)...});
#endif
}

// Exchange rows and lanes of a square block: log2(kLanes) rounds in which the first and the second
// half of the rows are interleaved like two halves of a deck of cards.
inline void transpose(Pack (&rows)[kLanes]) {
  using Lanes = std::make_integer_sequence<int, kLanes>;
  for (int round = 1; round < kLanes; round *= 2) {
    Pack mixed[kLanes];
#pragma GCC unroll 4
    for (int i = 0; i < kLanes / 2; ++i) {
      mixed[2 * i] = interleave<0>(rows[i], rows[i + kLanes / 2], Lanes{});
      mixed[2 * i + 1] = interleave<kLanes / 2>(rows[i], rows[i + kLanes / 2], Lanes{});
    }
#pragma GCC unroll 8
    for (int i = 0; i < kLanes; ++i) rows[i] = mixed[i];
  }
}

// Call body(P{}, column) for columns 0 ... n - 1: whole packs first, then one by one.
template <class Body>
inline void for_packs(int64_t n, const Body& body) {
  int64_t column = 0;
  for (; column + kLanes <= n; column += kLanes) body(Pack{}, column);
  for (; column < n; ++column) body(double{}, column);
}

// Doubles in aligned memory, 0 at first.
class Buffer {
 public:
  explicit Buffer(int64_t size) {
    const size_t bytes = (static_cast<size_t>(size) * sizeof(double) + 63) / 64 * 64;
    data_ = static_cast<double*>(std::aligned_alloc(64, bytes));
    if (!data_) throw std::bad_alloc();
    std::memset(data_, 0, bytes);
  }
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  double* data() { return data_; }

 private:
  double* data_;
};

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
