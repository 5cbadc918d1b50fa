// Rows are handled in groups of kLanes. First each column is summed down its windows, a lane a
// column; a row read once serves several windows. The sums are transposed, so that a lane is a row,
// and summed across: the neighbouring column is then the next pack, and every access is aligned.
// Everything is accumulated in double: in float the variance of a bright flat region, a difference
// of large numbers, would be lost. No running sums: they drift, carry a NaN along and make the
// result depend on where a thread starts.
#include "../ssim.h"

#include "ssim_windows.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// The walk down an image; the next image uses the same memory.
template <class T, class Window>
class Walk {
 public:
  explicit Walk(const Ssim<T>& args)
      : args_(args),
        map_rows_(args.map_rows()),
        map_cols_(args.map_cols()),
        mean_weight_(1. / static_cast<double>(map_rows_ * map_cols_)),
        sums_(4 * padded_cols() * kGroup),
        coefficients_(args.grad ? 3 * padded_cols() * kGroup : 0),
        ring_(args.grad ? 3 * (kRing + 1) * args.cols : 0) {}

  // Rows of tiles begin ... end - 1 of an image.
  void run(int64_t image, int64_t begin, int64_t end) {
    image_ = image;
    prediction_ = args_.prediction + image * args_.rows * args_.cols;
    target_ = args_.target + image * args_.rows * args_.cols;
    constants_ = SsimConstants<double>(static_cast<double>(args_.data_range[image]));
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
  static constexpr int kRing = (kLine + kGroup - 1) / kGroup * kGroup;  // rows in use, whole groups

  // Map rows row ... row + kGroup - 1, those that exist; returns their sum.
  double map_group(int64_t row) {
    if (row >= map_rows_) return 0;
    sum_columns(row);
    const Pack sums = args_.grad ? grad_windows(row) : args_.map ? map_windows(row) : windows();
    double sum = 0;
    for (int g = 0; g < kGroup && row + g < map_rows_; ++g) sum += sums[g];
    return sum;
  }

  void sum_columns(int64_t row) {
    const T *prediction = prediction_, *target = target_;
    const int64_t cols = args_.cols;
    int64_t offsets[kLine];  // rows past the end repeat the last one; no map row uses them
    for (int i = 0; i < kLine; ++i)
      offsets[i] = (row + i < args_.rows ? row + i : args_.rows - 1) * cols;
    for_packs(cols, [&](auto type, int64_t column) {
      using P = decltype(type);
      P s[kLine], d[kLine];
#pragma GCC unroll 32
      for (int i = 0; i < kLine; ++i) {
        const P x = load<P>(prediction + offsets[i] + column);
        const P y = load<P>(target + offsets[i] + column);
        s[i] = x + y;
        d[i] = x - y;
      }
      sum_down<Window>(s, sums(0, column));
      sum_down<Window>(d, sums(1, column));
#pragma GCC unroll 32
      for (int i = 0; i < kLine; ++i) {
        s[i] *= s[i];
        d[i] *= d[i];
      }
      sum_down<Window>(s, sums(2, column));
      sum_down<Window>(d, sums(3, column));
    });
  }

  void block_moments(int64_t column, SsimMoments<Pack> (&out)[kBlock]) {
    Pack mean_s[kBlock], mean_d[kBlock], square_s[kBlock], square_d[kBlock];
    sum_across<Window>(sums(0, column), mean_s);
    sum_across<Window>(sums(1, column), mean_d);
    sum_across<Window>(sums(2, column), square_s);
    sum_across<Window>(sums(3, column), square_d);
#pragma GCC unroll 4
    for (int i = 0; i < kBlock; ++i)
      out[i] = {mean_s[i], mean_d[i],
                Window::kCovarianceScale * (square_s[i] - mean_s[i] * mean_s[i]),
                Window::kCovarianceScale * (square_d[i] - mean_d[i] * mean_d[i])};
  }

  // Map values of a block, added to `sums` where they exist.
  void block_values(int64_t column, Pack (&values)[kBlock], Pack& sums) {
    const SsimConstants<double> constants = constants_;
    SsimMoments<Pack> m[kBlock];
    block_moments(column, m);
#pragma GCC unroll 4
    for (int i = 0; i < kBlock; ++i) {
      values[i] = ssim_value(m[i], constants);
      if (column + i < map_cols_) sums += values[i];
    }
  }

  // Sums of the group's map rows, a lane a row. The map goes to args.map, the coefficients to the
  // ring, where they are wanted.
  Pack windows() {
    Pack sums{};
    for (int64_t column = 0; column < map_cols_; column += kBlock) {
      Pack values[kBlock];
      block_values(column, values, sums);
    }
    return sums;
  }

  Pack map_windows(int64_t row) {
    Pack sums{};
    T* map = args_.map + (image_ * map_rows_ + row) * map_cols_;
    for_rows(
        map_cols_,
        [&](int64_t column, Pack(&values)[kBlock]) { block_values(column, values, sums); },
        [&](int g, int64_t column, const auto& values) {
          if (row + g < map_rows_) store(values, map + g * map_cols_ + column);
        });
    return sums;
  }

  Pack grad_windows(int64_t row) {
    Pack sums{};
    for (int64_t column = 0; column < map_cols_; column += kBlock) {
      SsimMoments<Pack> m[kBlock];
      block_moments(column, m);
#pragma GCC unroll 4
      for (int i = 0; i < kBlock; ++i) {
        if (column + i >= map_cols_) break;
        const SsimGradient<Pack> gradient = ssim_gradient<Window>(m[i], m[i].mean_s, constants_);
        const Pack weights = window_weights(row, column + i);
        sums += gradient.value;
        store(weights * gradient.constant, coefficients(0, column + i + kSize - 1));
        store(weights * gradient.of_s, coefficients(1, column + i + kSize - 1));
        store(weights * gradient.of_d, coefficients(2, column + i + kSize - 1));
      }
    }
    for (int quantity = 0; quantity < 3; ++quantity)
      for_rows(
          args_.cols,
          [&](int64_t column, Pack(&sums)[kBlock]) {
            sum_across<Window>(coefficients(quantity, column), sums);
          },
          [&](int g, int64_t column, const auto& values) {
            if (row + g < map_rows_)
              store(values, ring_row(row + g) + quantity * args_.cols + column);
          });
    return sums;
  }

  // What the gradient of each window's value is: of the mean, or what came from behind the map.
  Pack window_weights(int64_t row, int64_t column) const {
    Pack weights = Pack{} + mean_weight_;
    if (!args_.grad_map) return weights;
    const T* grad_map = args_.grad_map + (image_ * map_rows_ + row) * map_cols_ + column;
    for (int g = 0; g < kGroup; ++g)
      weights[g] = row + g < map_rows_ ? static_cast<double>(grad_map[g * map_cols_]) : 0;
    return weights;
  }

  // Rows row ... row + kGroup - 1 of the gradient, from the kSize map rows that reach each.
  void grad_group(int64_t row) {
    const double* lines[kLine];
    for (int i = 0; i < kLine; ++i) lines[i] = ring_row(row + i - kSize + 1);
    const T *prediction = prediction_, *target = target_;
    T* grad = args_.grad + image_ * args_.rows * args_.cols;
    const int64_t cols = args_.cols;
    for_packs(cols, [&](auto type, int64_t column) {
      using P = decltype(type);
      P sums[3][kGroup];
      for (int quantity = 0; quantity < 3; ++quantity) {
        P line[kLine];
#pragma GCC unroll 32
        for (int i = 0; i < kLine; ++i) line[i] = load<P>(lines[i] + quantity * cols + column);
        window_sums(Window{}, line, sums[quantity]);
      }
      for (int g = 0; g < kGroup && row + g < args_.rows; ++g) {
        const int64_t offset = (row + g) * cols + column;
        const P x = load<P>(prediction + offset), y = load<P>(target + offset);
        store(sums[0][g] + (x + y) * sums[1][g] + (x - y) * sums[2][g], grad + offset);
      }
    });
  }

  double* sums(int quantity, int64_t column) {
    return sums_.data() + (quantity * padded_cols() + column) * kGroup;
  }

  // kSize - 1 columns on both sides of the map's, and room for a block that reaches past the last.
  int64_t padded_cols() const { return map_cols_ + 2 * (kSize - 1) + kLanes; }
  double* coefficients(int quantity, int64_t column) {
    return coefficients_.data() + (quantity * padded_cols() + column) * kGroup;
  }

  // Coefficients of a map row summed across, (3, cols); of a row outside the map, zeros.
  double* ring_row(int64_t row) {
    const int64_t slot = row < 0 || row >= map_rows_ ? kRing : row % kRing;
    return ring_.data() + slot * 3 * args_.cols;
  }

  const Ssim<T>& args_;
  const int64_t map_rows_, map_cols_;
  const double mean_weight_;
  int64_t image_ = 0;
  const T *prediction_ = nullptr, *target_ = nullptr;  // (rows, cols)
  SsimConstants<double> constants_{1};
  Buffer sums_;          // (4, padded_cols, kGroup): sums down the windows, from column 0 on
  Buffer coefficients_;  // (3, padded_cols, kGroup): zeros on both sides of the map's columns
  Buffer ring_;          // (kRing + 1, 3, cols): the last map rows, and a row of zeros
};

template <class Window, class T>
void walk(const Ssim<T>& args, int64_t begin, int64_t end) {
  const int64_t tiles = args.row_tiles();
  Walk<T, Window> walk_image(args);
  while (begin < end) {
    const int64_t image = begin / tiles, next = (image + 1) * tiles;
    const int64_t stop = end < next ? end : next;
    walk_image.run(image, begin - image * tiles, stop - image * tiles);
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
