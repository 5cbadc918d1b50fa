// Structural similarity (Wang et al. 2004, DOI 10.1109/TIP.2003.819861, equation 13) of prediction
// x and target y, written in their sum s = x + y and difference d = x - y. Then no covariance is
// left: four moments instead of five, and a change of d alone cannot cancel against s.
//   2 mx my = (ms^2 - md^2) / 2     mx^2 + my^2 = (ms^2 + md^2) / 2     (the variances likewise)
#pragma once

#include <cstdint>

#include "host_device.h"

namespace mrirecon {

// The unit of work and of partial sums: a tile of an image. The CPU takes whole rows of tiles.
constexpr int kTileRows = 16, kTileCols = 32;

template <class T>
struct Ssim {
  const T* prediction;  // (images, rows, cols)
  const T* target;      // (images, rows, cols)
  const T* data_range;  // (images,)
  const T* grad_map;    // (images, map_rows, map_cols); null: the gradient of the mean is meant
  T* map;               // (images, map_rows, map_cols), or null
  T* tile_sums;         // (images, n_tiles), sums of the map, or null
  T* grad;              // gradient to the prediction, (images, rows, cols), or null
  T* coefficients;      // GPU only, with `grad`: scratch, (3, images, map_rows, map_cols)
  int64_t images, rows, cols;
  int window_size;  // 7: uniform, 11: Gaussian

  MRIRECON_HD int64_t map_rows() const { return rows - window_size + 1; }
  MRIRECON_HD int64_t map_cols() const { return cols - window_size + 1; }
  MRIRECON_HD int64_t row_tiles() const { return (rows + kTileRows - 1) / kTileRows; }
  MRIRECON_HD int64_t col_tiles() const { return (cols + kTileCols - 1) / kTileCols; }
  int64_t n_items() const { return images * row_tiles(); }    // an item is one row of tiles
  int64_t item_size() const { return 8 * kTileRows * cols; }  // in the cost of a plain copy
};

// mean[i] = sum of tile_sums[i, :] / n_windows
template <class T>
struct SsimMean {
  const T* tile_sums;  // (images, n_tiles)
  T* mean;             // (images,)
  int64_t images, n_tiles, n_windows;

  int64_t n_items() const { return images; }
  int64_t item_size() const { return n_tiles; }
};

struct UniformWindow {
  static constexpr int kSize = 7;
  static constexpr double kCovarianceScale = 49. / 48;  // sample covariance: n / (n - 1)
  MRIRECON_HD static constexpr double weight(int) { return 1. / 7; }
};

struct GaussianWindow {
  static constexpr int kSize = 11;
  static constexpr double kCovarianceScale = 1;
  // exp(-x^2 / (2 1.5^2)) at x = 5 ... 0 pixels, divided by the sum over x = -5 ... 5
  MRIRECON_HD static constexpr double weight(int i) {
    constexpr double kWeights[] = {0.00102838008447911, 0.007598758135239185, 0.03600077212843083,
                                   0.10936068950970002, 0.2130055377112537,   0.26601172486179436};
    return kWeights[i < 6 ? i : 10 - i];
  }
};

// V is a number or a pack of numbers, S a number.
template <class V>
struct SsimMoments {  // of one window
  V mean_s, mean_d, variance_s, variance_d;
};

template <class S>
struct SsimConstants {
  S luminance, contrast;  // 2 C1 and 2 C2

  MRIRECON_HD explicit SsimConstants(S data_range)
      : luminance(2 * (S(0.01) * data_range) * (S(0.01) * data_range)),
        contrast(2 * (S(0.03) * data_range) * (S(0.03) * data_range)) {}
};

template <class V, class S>
MRIRECON_HD V ssim_value(const SsimMoments<V>& m, const SsimConstants<S>& constants) {
  const V luminance_s = m.mean_s * m.mean_s + constants.luminance;
  const V contrast_s = m.variance_s + constants.contrast;
  const V luminance_d = m.mean_d * m.mean_d;
  return (luminance_s - luminance_d) * (contrast_s - m.variance_d) /
         ((luminance_s + luminance_d) * (contrast_s + m.variance_d));
}

// d value / dx_i = w_i (constant + s_i of_s + d_i of_d) for each pixel i of the window, with s_i
// measured from the same point as `measured_mean_s`: from 0, or from one near the pixels, so that
// large terms need not cancel.
template <class V>
struct SsimGradient {
  V value, constant, of_s, of_d;
};

template <class Window, class V, class S>
MRIRECON_HD SsimGradient<V> ssim_gradient(const SsimMoments<V>& m, const V& measured_mean_s,
                                          const SsimConstants<S>& constants) {
  const V luminance_s = m.mean_s * m.mean_s + constants.luminance;
  const V contrast_s = m.variance_s + constants.contrast;
  const V luminance_d = m.mean_d * m.mean_d;
  const V luminance_total = luminance_s + luminance_d, contrast_total = contrast_s + m.variance_d;
  const V inverse = S(1) / (luminance_total * contrast_total);
  const V luminance_inverse = contrast_total * inverse,
          contrast_inverse = luminance_total * inverse;
  const V luminance = (luminance_s - luminance_d) * luminance_inverse;
  const V contrast = (contrast_s - m.variance_d) * contrast_inverse;

  const V by_mean = S(4) * contrast * luminance_inverse * luminance_inverse;
  const V by_variance =
      S(4 * Window::kCovarianceScale) * luminance * contrast_inverse * contrast_inverse;
  const V of_s = by_variance * m.variance_d, of_d = -by_variance * contrast_s;
  const V constant = by_mean * (luminance_d * m.mean_s - luminance_s * m.mean_d) -
                     measured_mean_s * of_s - m.mean_d * of_d;
  return {luminance * contrast, constant, of_s, of_d};
}

}  // namespace mrirecon
