// Data consistency in k-space (Schlemper et al. 2018, DOI 10.1109/TMI.2017.2760978, equation 7):
// unmeasured samples are predicted; measured ones are the measured value (hard), or a blend with
// the prediction by the weight of the measurement (soft).
#pragma once

#include "geometry.h"

namespace mrirecon {

template <class T>
struct EnforceConsistency {
  const Complex<T>* prediction;  // (batch, coils, rows, cols)
  const Complex<T>* measured;    // (batch, coils, rows, cols)
  Complex<T>* out;               // (batch, coils, rows, cols)
  const T* noise_weight;         // one number; null: hard
  MaskView mask;                 // contiguous, so its column stride is 0 or 1
  Extent extent;

  int64_t n_items() const { return extent.n_rows(); }  // an item is one row
  int64_t item_size() const { return extent.cols; }
};

// What is null is not computed; without row_sums, prediction and measured are not read.
template <class T>
struct GradEnforceConsistency {
  const Complex<T>* grad_out;    // (batch, coils, rows, cols)
  const Complex<T>* prediction;  // (batch, coils, rows, cols)
  const Complex<T>* measured;    // (batch, coils, rows, cols)
  Complex<T>* grad_prediction;   // (batch, coils, rows, cols)
  Complex<T>* grad_measured;     // (batch, coils, rows, cols)
  double* row_sums;              // (batch * coils * rows,): Re <grad_out, measured - prediction>
  const T* noise_weight;         // one number; null: hard
  MaskView mask;                 // contiguous, so its column stride is 0 or 1
  Extent extent;

  int64_t n_items() const { return extent.n_rows(); }  // an item is one row
  int64_t item_size() const { return extent.cols; }
};

// Adds the row sums in an order that depends on nothing else, so that training repeats bit for bit.
template <class T>
struct GradNoiseWeight {
  const double* row_sums;  // (n_rows,)
  int64_t n_rows;
  const T* noise_weight;
  T* grad;  // one number

  int64_t n_items() const { return 1; }
  int64_t item_size() const { return 1; }
};

// The parts of prediction and measurement in a measured sample.
template <class T>
struct Shares {
  T prediction, measured;
};

template <class T>
MRIRECON_HD Shares<T> shares(const T* noise_weight) {
  if (!noise_weight) return {T(0), T(1)};
  return {T(1) / (T(1) + *noise_weight), *noise_weight / (T(1) + *noise_weight)};
}

// d shares.measured / d noise_weight = -d shares.prediction / d noise_weight
template <class T>
MRIRECON_HD double grad_share(T noise_weight) {
  const double denominator = 1.0 + static_cast<double>(noise_weight);
  return 1.0 / (denominator * denominator);
}

template <class T>
MRIRECON_HD Complex<T> blend(Shares<T> share, Complex<T> prediction, Complex<T> measured) {
  return {share.prediction * prediction.re + share.measured * measured.re,
          share.prediction * prediction.im + share.measured * measured.im};
}

// Re (conj(grad_out) (measured - prediction))
template <class T>
MRIRECON_HD T grad_along_measured(Complex<T> grad_out, Complex<T> prediction, Complex<T> measured) {
  return grad_out.re * (measured.re - prediction.re) + grad_out.im * (measured.im - prediction.im);
}

}  // namespace mrirecon
