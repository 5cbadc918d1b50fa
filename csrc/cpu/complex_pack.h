// A pack of complex numbers: one register of the instruction set, real and imaginary parts taking
// turns as in memory. Written with the compiler's vector types (GCC and Clang), so that one source
// serves every instruction set.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "../host_device.h"
#include "items.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

constexpr int kPackBytes = kSimd == Simd::avx512 ? 64 : kSimd == Simd::avx2 ? 32 : 16;
typedef float FloatParts __attribute__((vector_size(kPackBytes)));
typedef double DoubleParts __attribute__((vector_size(kPackBytes)));

template <class T>
struct ComplexPack {
  using Parts = std::conditional_t<std::is_same_v<T, float>, FloatParts, DoubleParts>;
  static constexpr int kParts = sizeof(Parts) / sizeof(T);

  Parts parts;

  MRIRECON_HD Parts real_twice() const { return moved<~1, 0>(Indices{}); }
  MRIRECON_HD Parts imag_twice() const { return moved<~1, 1>(Indices{}); }
  MRIRECON_HD Parts times_i() const {
    return (Parts)((Integers)moved<~0, 1>(Indices{}) ^ sign_of_real(Indices{}));
  }

 private:
  using Integer = std::conditional_t<std::is_same_v<T, float>, int32_t, int64_t>;
  typedef Integer Integers __attribute__((vector_size(kPackBytes)));
  using Indices = std::make_integer_sequence<int, kParts>;

  // Part i is what part (i & keep) ^ flip was.
  template <int keep, int flip, int... part>
  MRIRECON_HD Parts moved(std::integer_sequence<int, part...>) const {
#if __has_builtin(__builtin_shufflevector)  // Clang, and GCC from version 12 on
    return __builtin_shufflevector(parts, parts, ((part & keep) ^ flip)...);
#else
    return __builtin_shuffle(parts, Integers{((part & keep) ^ flip)...});
#endif
  }

  template <int... part>
  static MRIRECON_HD Integers sign_of_real(std::integer_sequence<int, part...>) {
    return Integers{(part % 2 ? Integer{0} : std::numeric_limits<Integer>::min())...};
  }
};

// a b
template <class T>
MRIRECON_HD ComplexPack<T> product(const ComplexPack<T>& a, const ComplexPack<T>& b) {
  return {a.real_twice() * b.parts + a.imag_twice() * b.times_i()};
}

// sum + conj(a) b
template <class T>
MRIRECON_HD ComplexPack<T> add_conjugate_product(const ComplexPack<T>& sum, const ComplexPack<T>& a,
                                                 const ComplexPack<T>& b) {
  return {(sum.parts + a.real_twice() * b.parts) - a.imag_twice() * b.times_i()};
}

// V is ComplexPack<T>, or Complex<T> for the numbers that fill no pack.
template <class V, class T>
MRIRECON_HD V load(const Complex<T>* source) {
  V value;
  std::memcpy(&value, source, sizeof value);
  return value;
}
template <class V, class T>
MRIRECON_HD void store(const V& value, Complex<T>* target) {
  std::memcpy(target, &value, sizeof value);
}

// Call body(V{}, index) for numbers 0 ... n - 1: whole packs first, then one by one.
template <class T, class Body>
MRIRECON_HD void for_complex_packs(int64_t n, const Body& body) {
  constexpr int64_t kSize = sizeof(ComplexPack<T>) / sizeof(Complex<T>);
  int64_t index = 0;
  for (; index + kSize <= n; index += kSize) body(ComplexPack<T>{}, index);
  for (; index < n; ++index) body(Complex<T>{}, index);
}

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
