// bfloat16: the upper half of a float. Stored so, computed with as float.
#pragma once

#include <cstdint>
#include <cstring>

#include "host_device.h"

namespace mrirecon {

struct BFloat16 {
  uint16_t bits;
};

// What numbers of type T are computed with.
template <class T>
struct RealOf {
  using type = T;
};
template <>
struct RealOf<BFloat16> {
  using type = float;
};
template <class T>
using Real = typename RealOf<T>::type;

template <class T>
MRIRECON_HD T widen(T value) {
  return value;
}
MRIRECON_HD float widen(BFloat16 value) {
  const uint32_t bits = uint32_t{value.bits} << 16;
  float wide;
  memcpy(&wide, &bits, sizeof wide);
  return wide;
}

// Narrow<T>::of(value): to the nearest, ties to even; NaN stays NaN.
template <class T>
struct Narrow {
  MRIRECON_HD static T of(T value) { return value; }
};
template <>
struct Narrow<BFloat16> {
  MRIRECON_HD static BFloat16 of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return {static_cast<uint16_t>(value == value ? rounded : 0x7fc0)};
  }
};

}  // namespace mrirecon
