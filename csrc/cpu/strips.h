// Rows of pixels that have channels side by side, walked in strips: registers of neighbouring
// channels, down the pixels; or, where pixels have one channel, registers of neighbouring pixels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "../bfloat16.h"
#include "lanes.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

template <class S>
constexpr int64_t kReals = kRegisterBytes / sizeof(S);
template <class S>
using Reals = typename RegisterOf<S, kReals<S>>::type;

// V is Reals, or one number where no register is filled.
template <class V, class T>
MRIRECON_HD V load(const T* source) {
  if constexpr (sizeof(V) == sizeof(Real<T>)) {
    return widen(*source);
  } else if constexpr (sizeof(T) == sizeof(Real<T>)) {
    V values;
    std::memcpy(&values, source, sizeof values);
    return values;
  } else {
    typename RegisterOf<uint16_t, kReals<float>>::type narrow;
    std::memcpy(&narrow, source, sizeof narrow);
    typedef typename RegisterOf<uint32_t, kReals<float>>::type Bits;
    return (V)(__builtin_convertvector(narrow, Bits) << 16);
  }
}

// Rounds as Narrow.
template <class V, class T>
MRIRECON_HD void store(const V& values, T* target) {
  if constexpr (sizeof(V) == sizeof(Real<T>)) {
    *target = Narrow<T>::of(values);
  } else if constexpr (sizeof(T) == sizeof(Real<T>)) {
    std::memcpy(target, &values, sizeof values);
  } else {
    typedef typename RegisterOf<uint32_t, kReals<float>>::type Bits;
    typedef typename RegisterOf<uint16_t, kReals<float>>::type Halves;
    const Bits bits = (Bits)values, rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    const Bits numbers = values == values ? rounded : Bits{} + 0x7fc0;
    const Halves narrow = __builtin_convertvector(numbers, Halves);
    std::memcpy(target, &narrow, sizeof narrow);
  }
}

// Pixels that all their strips walk before the next ones: so many numbers stay in the level 1
// cache.
constexpr int64_t kBlock = 4096;
constexpr size_t kCacheLine = 64;  // bytes

// Part of a row: `n` registers from number `first` on, `step` numbers apart, of these channels.
struct Strip {
  int64_t channel, first, n, step;
  bool has_one_channel;
};

// Call body(V{}, strip) for the strips of a row; V is what a strip's registers hold.
template <class S, class Body>
MRIRECON_HD void for_strips(int64_t cols, int64_t channels, const Body& body) {
  if (channels == 1) {
    const int64_t n = cols / kReals<S>, done = n * kReals<S>;
    if (n > 0) body(Reals<S>{}, Strip{0, 0, n, kReals<S>, true});
    if (done < cols) body(S{}, Strip{0, done, cols - done, 1, true});
  } else {
    const int64_t in_block = std::max<int64_t>(1, kBlock / channels);
    for (int64_t col = 0; col < cols; col += in_block) {
      const int64_t first = col * channels, n = std::min(in_block, cols - col);
      int64_t c = 0;
      for (; c + kReals<S> <= channels; c += kReals<S>)
        body(Reals<S>{}, Strip{c, first + c, n, channels, false});
      for (; c < channels; ++c) body(S{}, Strip{c, first + c, n, channels, false});
    }
  }
}

// Called for each strip: with the first of a block, ask for the next block of the same numbers. The
// processor foresees no strips, and waited for each of them: norms took half as long again.
template <int to_write = 0, class T>
MRIRECON_HD void prefetch_block(const T* numbers, const Strip& strip) {
  if (strip.has_one_channel || strip.channel > 0) return;
  const char* next = reinterpret_cast<const char*>(numbers + strip.first + kBlock);
  for (size_t byte = 0; byte < kBlock * sizeof(T); byte += kCacheLine)
    __builtin_prefetch(next + byte, to_write);
}

// What belongs to the channels of a strip.
template <class V, class S>
MRIRECON_HD V of_channels(const S* values, const Strip& strip) {
  return strip.has_one_channel ? V{} + *values : load<V>(values + strip.channel);
}

template <class V, class S>
MRIRECON_HD void add_to_channels(const V& values, S* sums, const Strip& strip) {
  if constexpr (sizeof(V) == sizeof(S)) {
    sums[strip.channel] += values;
  } else if (strip.has_one_channel) {
    S sum = 0;
    for (int64_t lane = 0; lane < kReals<S>; ++lane) sum += values[lane];
    *sums += sum;
  } else {
    store(load<V>(sums + strip.channel) + values, sums + strip.channel);
  }
}

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
