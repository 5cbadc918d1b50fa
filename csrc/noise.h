// Complex Gaussian noise as a pure function of (seed, index): no state, the same on every backend
// and for any number of threads. Philox4x32-10: Salmon et al. 2011, DOI 10.1145/2063384.2063405;
// normal deviates: Box and Muller 1958, DOI 10.1214/aoms/1177706645.
#pragma once

#include <cmath>
#include <cstdint>

#include "host_device.h"

namespace mrirecon {

struct Philox {
  uint32_t word[4];
};

MRIRECON_HD Philox philox(uint64_t seed, uint64_t index) {
  constexpr uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
  constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
  uint32_t key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  uint32_t c0 = static_cast<uint32_t>(index), c1 = static_cast<uint32_t>(index >> 32);
  uint32_t c2 = 0, c3 = 0;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{kMultiplier0} * c0, product1 = uint64_t{kMultiplier1} * c2;
    c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ key0;
    c1 = static_cast<uint32_t>(product1);
    c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ key1;
    c3 = static_cast<uint32_t>(product0);
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return {{c0, c1, c2, c3}};
}

// A uniform deviate in (0, 1): the middle of one of 2^23 or 2^52 equal cells, so that neither the
// logarithm of 0 nor a rounding up to 1 can occur.
MRIRECON_HD float uniform(uint32_t high, uint32_t, float) {
  return (static_cast<float>(high >> 9) + 0.5f) * 0x1p-23f;
}
MRIRECON_HD double uniform(uint32_t high, uint32_t low, double) {
  const uint64_t bits = (uint64_t{high} << 32 | low) >> 12;
  return (static_cast<double>(bits) + 0.5) * 0x1p-52;
}

// Real and imaginary part: independent, mean 0, standard deviation 1 each.
template <class T>
MRIRECON_HD Complex<T> complex_normal(uint64_t seed, uint64_t index) {
  const Philox bits = philox(seed, index);
  const T radius = std::sqrt(T(-2) * std::log(uniform(bits.word[0], bits.word[1], T{})));
  const Complex<T> phase = unit_phase(uniform(bits.word[2], bits.word[3], T{}));
  return {radius * phase.re, radius * phase.im};
}

}  // namespace mrirecon
