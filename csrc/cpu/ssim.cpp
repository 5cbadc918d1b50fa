// Rows are handled in groups: first each column's weighted sums down the window (a row read once
// serves several windows), then the sums across. Everything is accumulated in double: in float the
// variance of a bright flat region, a difference of large numbers, would be lost. No running sums:
// they drift, carry a NaN along and make the result depend on where a thread starts.
#include "../ssim.h"

#include "pack.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// Rows in a group. With 4, a row is read 2.5 times (7 x 7 window) and the group stays in L1 or L2.
constexpr int kGroup = 4;
static_assert(kTileRows % kGroup == 0, "groups must not depend on where a thread starts");

// Weighted sum of a window's line; value(i) gives its i-th pixel. The weights are symmetric.
template <class Window, class Value>
MRIRECON_HD auto weighted_sum(const Value& value) {
  constexpr int kHalf = Window::kSize / 2;
  auto sum = Window::weight(kHalf) * value(kHalf);
#pragma GCC unroll 8
  for (int i = 0; i < kHalf; ++i)
    sum += Window::weight(i) * (value(i) + value(Window::kSize - 1 - i));
  return sum;
}

// out[g * stride + column] for the kGroup windows that start at values[g]
template <class Window, class P>
MRIRECON_HD void sum_down(const P* values, double* out, int64_t stride) {
#pragma GCC unroll 4
  for (int g = 0; g < kGroup; ++g)
    store(weighted_sum<Window>([&](int i) { return values[g + i]; }), out + g * stride);
}

template <class Window, class P>
MRIRECON_HD P sum_across(const double* line) {
  return weighted_sum<Window>([&](int i) { return load<P>(line + i); });
}

// A row's sum, in a fixed order.
struct RowSum {
  Pack lanes{};
  double rest = 0;

  void add(const Pack& values) { lanes += values; }
  void add(double value) { rest += value; }
  double total() const { return sum_lanes(lanes) + rest; }
};

// The walk down one image.
template <class T, class Window>
class Walk {
 public:
  Walk(const Ssim<T>& args, int64_t image)
      : args_(args),
        image_(image),
        prediction_(args.prediction + image * args.rows * args.cols),
        target_(args.target + image * args.rows * args.cols),
        map_rows_(args.map_rows()),
        map_cols_(args.map_cols()),
        constants_(static_cast<double>(args.data_range[image])),
        mean_weight_(1. / static_cast<double>(map_rows_ * map_cols_)),
        stride_(args.cols + kSize - 1),
        sums_(4 * kGroup * stride_),
        ring_(args.grad ? 3 * (kRing + 1) * stride_ : 0) {}

  // Rows of tiles begin ... end - 1.
  void run(int64_t begin, int64_t end) {
    if (args_.grad) {  // the map rows above whose windows reach into the first row
      const int64_t first = begin * kTileRows, reach = first < kSize ? 0 : first - kSize + 1;
      for (int64_t row = reach / kGroup * kGroup; row < first; row += kGroup) map_group(row);
    }
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t bottom = (tile + 1) * kTileRows;
      const int64_t last = bottom < args_.rows ? bottom : args_.rows;
      double sum = 0;
      for (int64_t row = tile * kTileRows; row < last; row += kGroup) {
        sum += map_group(row);
        if (args_.grad) grad_group(row);
      }
      if (args_.tile_sums) args_.tile_sums[image_ * args_.row_tiles() + tile] = static_cast<T>(sum);
    }
  }

 private:
  static constexpr int kSize = Window::kSize;
  static constexpr int kLine = kGroup + kSize - 1;  // rows under the windows of a group
  static constexpr int kRing = kTileRows;           // rows of coefficients kept
  static_assert(kRing >= kLine && kRing % kGroup == 0, "a group must not overwrite rows in use");

  // Map rows row ... row + kGroup - 1, those that exist; returns their sum.
  double map_group(int64_t row) {
    if (row >= map_rows_) return 0;
    const int64_t cols = args_.cols;
    int64_t offsets[kLine];  // rows past the end repeat the last one; no map row uses them
    for (int i = 0; i < kLine; ++i)
      offsets[i] = (row + i < args_.rows ? row + i : args_.rows - 1) * cols;
    for_packs(cols, [&](auto type, int64_t column) {
      using P = decltype(type);
      P s[kLine], d[kLine];
#pragma GCC unroll 16
      for (int i = 0; i < kLine; ++i) {
        const P x = load<P>(prediction_ + offsets[i] + column);
        const P y = load<P>(target_ + offsets[i] + column);
        s[i] = x + y;
        d[i] = x - y;
      }
      sum_down<Window>(s, sums(0, 0) + column, stride_);
      sum_down<Window>(d, sums(1, 0) + column, stride_);
#pragma GCC unroll 16
      for (int i = 0; i < kLine; ++i) {
        s[i] *= s[i];
        d[i] *= d[i];
      }
      sum_down<Window>(s, sums(2, 0) + column, stride_);
      sum_down<Window>(d, sums(3, 0) + column, stride_);
    });
    double sum = 0;
    for (int g = 0; g < kGroup && row + g < map_rows_; ++g)
      sum += args_.grad ? coefficient_row(row + g, g) : value_row(row + g, g);
    return sum;
  }

  double value_row(int64_t row, int g) {
    RowSum sum;
    T* map = args_.map ? args_.map + (image_ * map_rows_ + row) * map_cols_ : nullptr;
    for_packs(map_cols_, [&](auto type, int64_t column) {
      using P = decltype(type);
      const P value = ssim_value(moments<P>(g, column), constants_);
      sum.add(value);
      if (map) store(value, map + column);
    });
    return sum.total();
  }

  double coefficient_row(int64_t row, int g) {
    RowSum sum;
    const int64_t index = (image_ * map_rows_ + row) * map_cols_;
    const T* grad_map = args_.grad_map ? args_.grad_map + index : nullptr;
    double* out = ring_row(row) + kSize - 1;
    for_packs(map_cols_, [&](auto type, int64_t column) {
      using P = decltype(type);
      const SsimMoments<P> m = moments<P>(g, column);
      const SsimGradient<P> gradient = ssim_gradient<Window>(m, m.mean_s, constants_);
      const P weight = grad_map ? load<P>(grad_map + column) : P{} + mean_weight_;
      sum.add(gradient.value);
      store(weight * gradient.constant, out + column);
      store(weight * gradient.of_s, out + stride_ + column);
      store(weight * gradient.of_d, out + 2 * stride_ + column);
    });
    return sum.total();
  }

  template <class P>
  SsimMoments<P> moments(int g, int64_t column) {
    const P mean_s = sum_across<Window, P>(sums(0, g) + column);
    const P mean_d = sum_across<Window, P>(sums(1, g) + column);
    const P square_s = sum_across<Window, P>(sums(2, g) + column);
    const P square_d = sum_across<Window, P>(sums(3, g) + column);
    return {mean_s, mean_d, Window::kCovarianceScale * (square_s - mean_s * mean_s),
            Window::kCovarianceScale * (square_d - mean_d * mean_d)};
  }

  // Rows row ... row + kGroup - 1 of the gradient, from the kSize map rows that reach each.
  void grad_group(int64_t row) {
    const double* lines[kLine];
    for (int i = 0; i < kLine; ++i) lines[i] = ring_row(row + i - kSize + 1);
    for (int map = 0; map < 3; ++map)
      for_packs(stride_, [&](auto type, int64_t column) {
        using P = decltype(type);
        P values[kLine];
#pragma GCC unroll 16
        for (int i = 0; i < kLine; ++i) values[i] = load<P>(lines[i] + map * stride_ + column);
        sum_down<Window>(values, sums(map, 0) + column, stride_);
      });
    for (int g = 0; g < kGroup && row + g < args_.rows; ++g) grad_row(row + g, g);
  }

  void grad_row(int64_t row, int g) {
    const T *prediction = prediction_ + row * args_.cols, *target = target_ + row * args_.cols;
    T* grad = args_.grad + (image_ * args_.rows + row) * args_.cols;
    for_packs(args_.cols, [&](auto type, int64_t column) {
      using P = decltype(type);
      const P x = load<P>(prediction + column), y = load<P>(target + column);
      const P constant = sum_across<Window, P>(sums(0, g) + column);
      const P of_s = sum_across<Window, P>(sums(1, g) + column);
      const P of_d = sum_across<Window, P>(sums(2, g) + column);
      store(constant + (x + y) * of_s + (x - y) * of_d, grad + column);
    });
  }

  double* sums(int quantity, int g) { return sums_.data() + (quantity * kGroup + g) * stride_; }

  // Coefficients of a map row, (3, stride); of a row outside the map, zeros.
  double* ring_row(int64_t row) {
    const int64_t slot = row < 0 || row >= map_rows_ ? kRing : row % kRing;
    return ring_.data() + slot * 3 * stride_;
  }

  const Ssim<T>& args_;
  const int64_t image_;
  const T *prediction_, *target_;  // (rows, cols)
  const int64_t map_rows_, map_cols_;
  const SsimConstants<double> constants_;
  const double mean_weight_;
  const int64_t stride_;  // of a row with kSize - 1 zeros on both sides of a map row
  Buffer sums_;           // (4, kGroup, stride): a group's sums down the window
  Buffer ring_;           // (kRing + 1, 3, stride): the last map rows' coefficients; row of zeros
};

template <class Window, class T>
void walk(const Ssim<T>& args, int64_t begin, int64_t end) {
  const int64_t tiles = args.row_tiles();
  while (begin < end) {
    const int64_t image = begin / tiles, next = (image + 1) * tiles;
    const int64_t stop = end < next ? end : next;
    Walk<T, Window>(args, image).run(begin - image * tiles, stop - image * tiles);
    begin = stop;
  }
}

template <class T>
void rows(const Ssim<T>& args, int64_t begin, int64_t end) {
  args.window_size == UniformWindow::kSize ? walk<UniformWindow>(args, begin, end)
                                           : walk<GaussianWindow>(args, begin, end);
}

template <class T>
void rows(const SsimMean<T>& args, int64_t begin, int64_t end) {
  for (int64_t image = begin; image < end; ++image) {
    double sum = 0;
    for (int64_t i = 0; i < args.n_tiles; ++i) sum += args.tile_sums[image * args.n_tiles + i];
    args.mean[image] = static_cast<T>(sum / static_cast<double>(args.n_windows));
  }
}

}  // namespace MRIRECON_SIMD

template void run_items<kSimd>(const Ssim<float>&, int64_t, int64_t);
template void run_items<kSimd>(const Ssim<double>&, int64_t, int64_t);
template void run_items<kSimd>(const SsimMean<float>&, int64_t, int64_t);
template void run_items<kSimd>(const SsimMean<double>&, int64_t, int64_t);

}  // namespace mrirecon
