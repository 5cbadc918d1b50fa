// Undersampling: out = mask * (kspace + noise), the noise drawn inside the kernel.
#pragma once

#include "geometry.h"
#include "noise.h"

namespace mrirecon {

template <class T>
struct ApplyMask {
  const Complex<T>* kspace;  // (batch, coils, rows, cols)
  Complex<T>* out;           // (batch, coils, rows, cols)
  MaskView mask;
  Extent extent;
  T noise_std;  // of the real and of the imaginary part; 0: no noise is drawn
  uint64_t seed;

  int64_t n_items() const { return extent.n_rows(); }  // an item is one row
  int64_t item_size() const { return extent.cols; }
};

// A value where the mask is set, 0 elsewhere: a choice, not a product, so that a NaN which was
// never measured does not spread.
template <class T>
MRIRECON_HD Complex<T> masked(Complex<T> value, bool is_measured) {
  return {is_measured ? value.re : T(0), is_measured ? value.im : T(0)};
}

template <class T>
MRIRECON_HD Complex<T> masked_with_noise(Complex<T> value, bool is_measured, T noise_std,
                                         uint64_t seed, uint64_t index) {
  if (!is_measured) return {T(0), T(0)};
  const Complex<T> noise = complex_normal<T>(seed, index);
  return {value.re + noise_std * noise.re, value.im + noise_std * noise.im};
}

}  // namespace mrirecon
