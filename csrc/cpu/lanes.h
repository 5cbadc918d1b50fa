// Eight complex numbers that take the same steps: the grid's points at one place of eight rows of
// an image, or of fewer rows of several images or coils. Eight complex64 fill a cache line.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "../host_device.h"
#include "items.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

constexpr int kLanes = 8;  // complex numbers

constexpr int kRegisterBytes = kSimd == Simd::avx512 ? 64 : kSimd == Simd::avx2 ? 32 : 16;

template <class T, int n>
struct RegisterOf {
  typedef T type __attribute__((vector_size(n * sizeof(T))));
};

// body(k) for k = 0 ... n - 1. Spelled out, not a loop: a loop is unrolled only after g++ has
// decided to keep an array in memory.
template <class Body, size_t... k>
MRIRECON_HD void call_each(const Body& body, std::index_sequence<k...>) {
  (body(k), ...);
}

// Call `body` with the compile-time number among `numbers` that equals `value`.
template <int... numbers, class Body>
void with_constant(int64_t value, std::integer_sequence<int, numbers...>, const Body& body) {
  (void)((value == numbers && (body(std::integral_constant<int, numbers>{}), true)) || ...);
}

template <class T>
struct Lanes {
  static constexpr int kReals = kRegisterBytes / sizeof(T);  // in a register
  static constexpr int kParts = 2 * kLanes / kReals;         // registers
  using Register = typename RegisterOf<T, kReals>::type;

  Register part[kParts];

  Lanes() = default;
  // Part by part: of a struct copied whole, g++ makes a copy through the stack.
  MRIRECON_HD Lanes(const Lanes& other) { *this = other; }
  MRIRECON_HD Lanes& operator=(const Lanes& other) {
    each_part([&](size_t k) { part[k] = other.part[k]; });
    return *this;
  }

  template <class Body>
  MRIRECON_HD static void each_part(const Body& body) {
    call_each(body, std::make_index_sequence<kParts>{});
  }
};

template <class T>
MRIRECON_HD T* lane_at(T* memory, int64_t index) {
  return memory + index * kLanes;
}

template <class T>
MRIRECON_HD Lanes<T> load_lanes(const Complex<T>* source) {
  Lanes<T> x;
  Lanes<T>::each_part([&](size_t k) {
    std::memcpy(&x.part[k], source + k * Lanes<T>::kReals / 2, sizeof x.part[k]);
  });
  return x;
}

template <class T>
MRIRECON_HD void store_lanes(const Lanes<T>& x, Complex<T>* target) {
  Lanes<T>::each_part([&](size_t k) {
    std::memcpy(target + k * Lanes<T>::kReals / 2, &x.part[k], sizeof x.part[k]);
  });
}

// Past the caches, where the processor can: memory is then not read before it is written. `target`
// is aligned to a register; `finish_streams` before another thread reads it.
template <class T>
MRIRECON_HD void stream_lanes(const Lanes<T>& x, Complex<T>* target) {
#ifdef __SSE2__
  Lanes<T>::each_part([&](size_t k) {
    float* const place = reinterpret_cast<float*>(target + k * Lanes<T>::kReals / 2);
#if defined(__AVX512F__)
    _mm512_stream_ps(place, (__m512)x.part[k]);
#elif defined(__AVX__)
    _mm256_stream_ps(place, (__m256)x.part[k]);
#else
    _mm_stream_ps(place, (__m128)x.part[k]);
#endif
  });
#else
  store_lanes(x, target);
#endif
}

MRIRECON_HD void finish_streams() {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

// Of fewer than eight numbers; the other lanes are 0.
template <class T>
MRIRECON_HD Lanes<T> load_lanes(const Complex<T>* source, int64_t count) {
  if (count == kLanes) return load_lanes(source);
  Complex<T> some[kLanes] = {};
  std::copy_n(source, count, some);
  return load_lanes(some);
}

template <class T>
MRIRECON_HD void store_lanes(const Lanes<T>& x, Complex<T>* target, int64_t count) {
  if (count == kLanes) return store_lanes(x, target);
  Complex<T> all[kLanes];
  store_lanes(x, all);
  std::copy_n(all, count, target);
}

template <class T>
MRIRECON_HD Lanes<T> zero_lanes() {
  Lanes<T> x;
  Lanes<T>::each_part([&](size_t k) { x.part[k] = typename Lanes<T>::Register{}; });
  return x;
}

template <class T>
MRIRECON_HD Lanes<T> operator+(Lanes<T> a, const Lanes<T>& b) {
  Lanes<T>::each_part([&](size_t k) { a.part[k] += b.part[k]; });
  return a;
}

template <class T>
MRIRECON_HD Lanes<T> operator-(Lanes<T> a, const Lanes<T>& b) {
  Lanes<T>::each_part([&](size_t k) { a.part[k] -= b.part[k]; });
  return a;
}

template <class T>
MRIRECON_HD Lanes<T> operator*(T factor, Lanes<T> a) {
  Lanes<T>::each_part([&](size_t k) { a.part[k] *= factor; });
  return a;
}

template <class T>
MRIRECON_HD Lanes<T> operator*(Lanes<T> a, const Lanes<T>& real_weights) {
  Lanes<T>::each_part([&](size_t k) { a.part[k] *= real_weights.part[k]; });
  return a;
}

// sum + factor * a
template <class T>
MRIRECON_HD Lanes<T> add_scaled(Lanes<T> sum, T factor, const Lanes<T>& a) {
  Lanes<T>::each_part([&](size_t k) { sum.part[k] += factor * a.part[k]; });
  return sum;
}

// sum + weights * a, with a real weight for each lane
template <class T>
MRIRECON_HD Lanes<T> add_weighted(Lanes<T> sum, const Lanes<T>& weights, const Lanes<T>& a) {
  Lanes<T>::each_part([&](size_t k) { sum.part[k] += weights.part[k] * a.part[k]; });
  return sum;
}

template <class T>
MRIRECON_HD typename Lanes<T>::Register exchange_parts(typename Lanes<T>::Register x) {
  if constexpr (Lanes<T>::kReals == 16)
    return __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  else if constexpr (Lanes<T>::kReals == 8)
    return __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
  else if constexpr (Lanes<T>::kReals == 4)
    return __builtin_shufflevector(x, x, 1, 0, 3, 2);
  else
    return __builtin_shufflevector(x, x, 1, 0);
}

// A pair of numbers in every lane.
template <class T>
MRIRECON_HD typename Lanes<T>::Register repeat_pair(Complex<T> pair) {
  typedef uint64_t Words __attribute__((vector_size(kRegisterBytes)));
  typedef T Pair __attribute__((vector_size(2 * sizeof(T))));
  if constexpr (sizeof(T) == 4) {  // one word: a broadcast
    uint64_t word;
    std::memcpy(&word, &pair, sizeof word);
    return (typename Lanes<T>::Register)(Words{} + word);
  } else {
    const Pair both = {pair.re, pair.im};
    if constexpr (Lanes<T>::kReals == 8)
      return __builtin_shufflevector(both, both, 0, 1, 0, 1, 0, 1, 0, 1);
    else if constexpr (Lanes<T>::kReals == 4)
      return __builtin_shufflevector(both, both, 0, 1, 0, 1);
    else
      return both;
  }
}

// A factor of complex products, (re + i im) a = re a + (-im, im) * (a with its parts exchanged).
template <class T>
struct Factor {
  T re;
  Complex<T> cross;  // (-im, im)
};

template <class T>
MRIRECON_HD Lanes<T> operator*(const Factor<T>& factor, Lanes<T> a) {
  const auto cross = repeat_pair(factor.cross);
  Lanes<T>::each_part(
      [&](size_t k) { a.part[k] = factor.re * a.part[k] + cross * exchange_parts<T>(a.part[k]); });
  return a;
}

template <class T>
MRIRECON_HD Lanes<T> multiply_by_conjugate(const Factor<T>& factor, Lanes<T> a) {
  const auto cross = repeat_pair(factor.cross);
  Lanes<T>::each_part(
      [&](size_t k) { a.part[k] = factor.re * a.part[k] - cross * exchange_parts<T>(a.part[k]); });
  return a;
}

// sum - i a
template <class T>
MRIRECON_HD Lanes<T> subtract_turned(Lanes<T> sum, const Lanes<T>& a) {
  const auto cross = repeat_pair(Complex<T>{T(1), T(-1)});
  Lanes<T>::each_part([&](size_t k) { sum.part[k] += cross * exchange_parts<T>(a.part[k]); });
  return sum;
}

// -i a
template <class T>
MRIRECON_HD Lanes<T> turned_back(Lanes<T> a) {
  const auto signs = repeat_pair(Complex<T>{T(1), T(-1)});
  Lanes<T>::each_part([&](size_t k) { a.part[k] = signs * exchange_parts<T>(a.part[k]); });
  return a;
}

// sum + i a
template <class T>
MRIRECON_HD Lanes<T> add_turned(Lanes<T> sum, const Lanes<T>& a) {
  const auto cross = repeat_pair(Complex<T>{T(1), T(-1)});
  Lanes<T>::each_part([&](size_t k) { sum.part[k] -= cross * exchange_parts<T>(a.part[k]); });
  return sum;
}

template <int part, class V, size_t... i>
MRIRECON_HD V repeat_part(V x, std::index_sequence<i...>) {  // 0: re re, 1: im im
  return __builtin_shufflevector(x, x, (i / 2 * 2 + part)...);
}

// a b, lane by lane, or a conj(b).
template <bool conjugate, class T>
MRIRECON_HD Lanes<T> multiply(const Lanes<T>& a, const Lanes<T>& b) {
  const auto signs = repeat_pair(conjugate ? Complex<T>{T(1), T(-1)} : Complex<T>{T(-1), T(1)});
  const std::make_index_sequence<Lanes<T>::kReals> all{};
  Lanes<T> product;
  Lanes<T>::each_part([&](size_t k) {
    product.part[k] = a.part[k] * repeat_part<0>(b.part[k], all) +
                      exchange_parts<T>(a.part[k]) * (signs * repeat_part<1>(b.part[k], all));
  });
  return product;
}

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
