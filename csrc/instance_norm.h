// Instance norm (Ulyanov et al. 2016, arXiv 1607.08022), PReLU (He et al. 2015, DOI
// 10.1109/ICCV.2015.123), a factor for each channel and a sum, in two passes over the features:
//   normal = (x - mean) rstd     out = residual + keep prelu(normal)
// of which the second may write its result with a border of reflected pixels, ready for the next
// convolution. Moments are merged as in Chan, Golub and LeVeque 1983 (DOI
// 10.1080/00031305.1983.10483115).
#pragma once

#include <cmath>
#include <cstdint>

#include "bfloat16.h"

namespace mrirecon {

// The unit of work and of partial sums: rows of one image, about so many numbers.
constexpr int64_t kNormChunk = 8192;

// Features as memory has them, (images, rows, cols, channels). Of a channels-last tensor these are
// its axes; of a contiguous one every plane is an image of one channel.
struct NormExtent {
  int64_t images, rows, cols, channels;
  int64_t pad;  // pixels of border around the output

  MRIRECON_HD int64_t out_rows() const { return rows + 2 * pad; }
  MRIRECON_HD int64_t out_cols() const { return cols + 2 * pad; }
  MRIRECON_HD int64_t pixels() const { return rows * cols; }
  MRIRECON_HD int64_t image_size() const { return pixels() * channels; }
  MRIRECON_HD int64_t out_image_size() const { return out_rows() * out_cols() * channels; }
  MRIRECON_HD int64_t chunk_rows() const {
    const int64_t rows_of_a_chunk = kNormChunk / (out_cols() * channels);
    return rows_of_a_chunk > 0 ? rows_of_a_chunk : 1;
  }
  MRIRECON_HD int64_t n_chunks() const { return (rows + chunk_rows() - 1) / chunk_rows(); }
  MRIRECON_HD int64_t n_out_chunks() const {
    return (out_rows() + chunk_rows() - 1) / chunk_rows();
  }
  // Pixels in a chunk: all have as many, but the last.
  MRIRECON_HD int64_t chunk_pixels(int64_t chunk) const {
    const int64_t left = rows - chunk * chunk_rows();
    return (left < chunk_rows() ? left : chunk_rows()) * cols;
  }
  MRIRECON_HD int64_t n_statistics() const { return images * channels; }
  // Cost in that of a plain copy.
  int64_t chunk_size() const { return chunk_rows() * cols * channels; }
};

// Where index i, counted from the first pixel that is no border, comes from.
MRIRECON_HD int64_t reflected(int64_t i, int64_t size) {
  return i < 0 ? -i : i < size ? i : 2 * (size - 1) - i;
}

// Where index i of an axis stands in the output: itself (which = 0), and reflected at either end (1
// and 2), -1 where it is not.
template <class Index>
MRIRECON_HD Index place_in_output(Index i, int which, Index size, Index pad) {
  const Index last = size - 1;
  if (which == 0) return i + pad;
  if (which == 1) return i >= 1 && i <= pad ? pad - i : -1;
  return i < last && i >= last - pad ? 2 * last - i + pad : -1;
}

// What each channel of each image is normalised with; every pointer is (images, channels).
template <class S>
struct NormChannels {
  const S *mean, *rstd;
  const S* keep;   // null: 1
  const S* slope;  // one number; null: no activation, a slope of 1
};

// Mean, and sum of squared deviations from it, of the pixels of each chunk.
template <class T>
struct NormMoments {
  const T* x;         // (images, rows, cols, channels)
  Real<T>* partials;  // (images, n_chunks, 2, channels)
  NormExtent extent;

  int64_t n_items() const { return extent.images * extent.n_chunks(); }
  int64_t item_size() const { return extent.chunk_size(); }
};

// mean and 1 / sqrt(variance + eps) from the moments of all chunks.
template <class S>
struct NormStatistics {
  const S* partials;  // (images, n_chunks, 2, channels)
  S *mean, *rstd;     // (images, channels)
  S eps;
  NormExtent extent;

  int64_t n_items() const { return extent.images; }
  int64_t item_size() const { return 2 * extent.n_chunks() * extent.channels; }
};

template <class T>
struct ApplyNorm {
  const T* x;         // (images, rows, cols, channels)
  const T* residual;  // (images, out_rows, out_cols, channels), or null
  T* out;             // (images, out_rows, out_cols, channels)
  NormChannels<Real<T>> channels;
  NormExtent extent;

  int64_t n_items() const { return extent.images * extent.n_out_chunks(); }
  int64_t item_size() const { return 2 * extent.chunk_size(); }
};

// Sums over the pixels of each chunk of `grad_normal`, of `grad_normal` times `normal`, and of the
// gradient to the slope, all of them but for the factor `keep`.
template <class T>
struct GradNormSums {
  const T* grad_out;  // (images, out_rows, out_cols, channels)
  const T* x;         // (images, rows, cols, channels)
  Real<T>* partials;  // (images, n_chunks, 3, channels)
  NormChannels<Real<T>> channels;
  NormExtent extent;

  int64_t n_items() const { return extent.images * extent.n_chunks(); }
  int64_t item_size() const { return 2 * extent.chunk_size(); }
};

// The same of all chunks; the first two as means over the pixels, the last times `keep`.
template <class S>
struct GradNormMeans {
  const S* partials;                    // (images, n_chunks, 3, channels)
  const S* keep;                        // (images, channels), or null
  S *mean, *mean_product, *grad_slope;  // (images, channels)
  NormExtent extent;

  int64_t n_items() const { return extent.images; }
  int64_t item_size() const { return 3 * extent.n_chunks() * extent.channels; }
};

template <class T>
struct GradNorm {
  const T* grad_out;                  // (images, out_rows, out_cols, channels)
  const T* x;                         // (images, rows, cols, channels)
  const Real<T>*mean, *mean_product;  // (images, channels), of GradNormMeans
  T* grad_x;                          // (images, rows, cols, channels)
  NormChannels<Real<T>> channels;
  NormExtent extent;

  int64_t n_items() const { return extent.images * extent.n_chunks(); }
  int64_t item_size() const { return 3 * extent.chunk_size(); }
};

// V is a number or a register of numbers.
template <class V>
MRIRECON_HD V prelu(const V& normal, const V& slope) {
  return normal > V{} ? normal : slope * normal;
}

// The gradient to `normal`, but for the factor `keep`; at 0 the slope's side, as in torch.
template <class V>
MRIRECON_HD V grad_prelu(const V& grad_out, const V& normal, const V& slope) {
  return normal > V{} ? grad_out : slope * grad_out;
}

template <class V>
MRIRECON_HD V grad_slope_of(const V& grad_out, const V& normal) {
  return grad_out * (normal > V{} ? V{} : normal);
}

// Sums are of type Sum: of longer numbers where these cost little.
template <class Sum, class S>
MRIRECON_HD void merge_moments(const NormStatistics<S>& args, int64_t image, int64_t channel) {
  const NormExtent& extent = args.extent;
  const int64_t n_chunks = extent.n_chunks();
  const S* means = args.partials + image * n_chunks * 2 * extent.channels + channel;
  const S* squares = means + extent.channels;
  Sum mean = 0, sum_of_squares = 0;
  for (int64_t chunk = 0; chunk < n_chunks; ++chunk) {
    const Sum share = Sum(extent.chunk_pixels(chunk)) / Sum(extent.pixels());
    mean += share * means[chunk * 2 * extent.channels];
  }
  for (int64_t chunk = 0; chunk < n_chunks; ++chunk) {
    const Sum deviation = means[chunk * 2 * extent.channels] - mean;
    sum_of_squares += squares[chunk * 2 * extent.channels] +
                      Sum(extent.chunk_pixels(chunk)) * deviation * deviation;
  }
  const Sum variance = sum_of_squares / Sum(extent.pixels());
  args.mean[image * extent.channels + channel] = S(mean);
  args.rstd[image * extent.channels + channel] = S(1 / std::sqrt(variance + Sum(args.eps)));
}

template <class Sum, class S>
MRIRECON_HD void merge_grad_sums(const GradNormMeans<S>& args, int64_t image, int64_t channel) {
  const int64_t channels = args.extent.channels, n_chunks = args.extent.n_chunks();
  const S* partials = args.partials + image * n_chunks * 3 * channels + channel;
  Sum sums[3] = {};
  for (int64_t chunk = 0; chunk < n_chunks; ++chunk)
    for (int k = 0; k < 3; ++k) sums[k] += partials[(3 * chunk + k) * channels];
  const int64_t index = image * channels + channel;
  const Sum n = Sum(args.extent.pixels()), keep = args.keep ? Sum(args.keep[index]) : Sum(1);
  args.mean[index] = S(sums[0] / n);
  args.mean_product[index] = S(sums[1] / n);
  args.grad_slope[index] = S(keep * sums[2]);
}

}  // namespace mrirecon
