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
  // Of the real and of the imaginary part, and the seed: for the whole batch if there is one of
  // each, or one for each element, whose samples then count from 0. Without both: no noise.
  const T* noise_std;
  const int64_t* seeds;
  bool is_by_element;

  int64_t n_items() const { return extent.n_rows(); }  // an item is one row
  int64_t item_size() const { return extent.cols; }
};

// A value where the mask is set, 0 elsewhere: a choice, not a product, so that a NaN which was
// never measured does not spread.
template <class T>
MRIRECON_HD Complex<T> masked(Complex<T> value, bool is_measured) {
  return {is_measured ? value.re : T(0), is_measured ? value.im : T(0)};
}

// What the noise of a row depends on.
template <class T>
struct RowNoise {
  T std;
  uint64_t seed;
  uint64_t first;  // number of the row's first sample
};

template <class T>
MRIRECON_HD RowNoise<T> noise_of_row(const ApplyMask<T>& args, int64_t row) {
  const int64_t element_rows = args.extent.coils * args.extent.rows;
  const int64_t element = args.is_by_element ? row / element_rows : 0;
  return {args.noise_std[element], static_cast<uint64_t>(args.seeds[element]),
          static_cast<uint64_t>((row - element * element_rows) * args.extent.cols)};
}

template <class T>
MRIRECON_HD Complex<T> masked_with_noise(Complex<T> value, bool is_measured, const RowNoise<T>& row,
                                         int64_t col) {
  if (!is_measured) return {T(0), T(0)};
  const Complex<T> noise = complex_normal<T>(row.seed, row.first + static_cast<uint64_t>(col));
  return {value.re + row.std * noise.re, value.im + row.std * noise.im};
}

}  // namespace mrirecon
