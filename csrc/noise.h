// Complex Gaussian noise as a pure function of (seed, index): no state, the same on every backend
// and for any number of threads. Philox4x32-10: Salmon et al. 2011, DOI 10.1145/2063384.2063405;
// normal deviates: Box and Muller 1958, DOI 10.1214/aoms/1177706645.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

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

// Natural logarithm of a uniform deviate u = 2^e (1 + f), f in [sqrt(1/2) - 1, sqrt(2) - 1): the
// float version as a polynomial, so that compilers make vector code of a loop over deviates.
// log(1 + f) = f - f^2 / 2 + f^3 q(f); q is the interpolation at 400 Chebyshev points of that
// interval, of degree 8: the relative error of log(1 + f) is 4e-9.
MRIRECON_HD float log_of_uniform(float u) {
  constexpr uint32_t kSqrtHalf = 0x3F3504F3u;  // its bits
  uint32_t bits;
  std::memcpy(&bits, &u, sizeof bits);
  const int32_t exponent = static_cast<int32_t>(bits - kSqrtHalf) >> 23;
  bits -= static_cast<uint32_t>(exponent) << 23;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  f -= 1.0f;
  float q = 0.0714975389f;
  q = q * f - 0.115712007f;
  q = q * f + 0.116615111f;
  q = q * f - 0.124110507f;
  q = q * f + 0.142499365f;
  q = q * f - 0.166684802f;
  q = q * f + 0.200007075f;
  q = q * f - 0.24999989f;
  q = q * f + 0.333333312f;
  const float small = f * f * (f * q - 0.5f) + f;
  return static_cast<float>(exponent) * 0.693147181f + small;
}
MRIRECON_HD double log_of_uniform(double u) { return std::log(u); }

// exp(2 pi i u) of a uniform deviate: the nearest quarter turn, and the rest t in [-1/8, 1/8],
// which is exact. The float version by polynomials in t^2 of degree 3, interpolated like the
// logarithm's: both parts are within 3e-9.
MRIRECON_HD Complex<float> phase_of_uniform(float u) {
  const int32_t quarter = static_cast<int32_t>(4.0f * u + 0.5f);
  const float t = u - 0.25f * static_cast<float>(quarter), z = t * t;
  const float sine = t * (6.28318529f + z * (-41.3416626f + z * (81.5925482f + z * -75.4018403f)));
  const float cosine =
      1.0f + z * (-19.7392088f + z * (64.9393691f + z * (-85.4488228f + z * 59.4242205f)));
  const bool is_odd = quarter & 1;
  const float re = is_odd ? sine : cosine, im = is_odd ? cosine : sine;
  return {(quarter + 1) & 2 ? -re : re, quarter & 2 ? -im : im};
}
MRIRECON_HD Complex<double> phase_of_uniform(double u) { return unit_phase(u); }

// Real and imaginary part: independent, mean 0, standard deviation 1 each.
template <class T>
MRIRECON_HD Complex<T> complex_normal(uint64_t seed, uint64_t index) {
  const Philox bits = philox(seed, index);
  const T radius = std::sqrt(T(-2) * log_of_uniform(uniform(bits.word[0], bits.word[1], T{})));
  const Complex<T> phase = phase_of_uniform(uniform(bits.word[2], bits.word[3], T{}));
  return {radius * phase.re, radius * phase.im};
}

}  // namespace mrirecon
