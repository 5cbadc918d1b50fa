// Weights on the grid between a transform and its inverse: the normal operator as a convolution.
// A row of the grid is made, weighted and taken back while it is in the first cache.
#pragma once

#include "../scratch.h"
#include "nufft_chunk.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// Of chunks of one image (NufftWork::chunk_images), eight rows of which are the lanes.
template <class T>
class ConvolvePass {
 public:
  explicit ConvolvePass(const Chunk<T>& chunk)
      : chunk_(chunk),
        plan_(chunk.plan),
        row_fft_(plan_, 2),
        middle_fft_(plan_, plan_.is_volume() ? 1 : 0),
        plane_(kBytes * (plan_.is_volume() ? n_col_groups() * plan_.grid[1] : 0)),
        row_(kBytes * plan_.grid[2]),
        buffer_(kBytes * std::max(plan_.grid[1], plan_.grid[2])) {}

  // A plane of a volume, or eight rows of an image.
  void run(int64_t task) const {
    if (plan_.is_volume()) return run_plane(task);
    convolve_rows(chunk_.columns, plan_.grid[1], task * kLanes, 0);
  }

 private:
  static constexpr size_t kBytes = sizeof(Complex<T>) * kLanes;

  int64_t n_col_groups() const { return chunk_.n_col_blocks(); }
  Complex<T>* buffer() const { return buffer_.template as<Complex<T>>(); }

  void run_plane(int64_t depth) const {
    Complex<T>* plane = plane_.template as<Complex<T>>();
    const int64_t n_rows = plan_.grid[1];
    const auto column = [&](int64_t g) {
      return lane_at(chunk_.columns, (g * chunk_.n_outer() + depth) * chunk_.n_middle());
    };
    for (int64_t g = 0; g < n_col_groups(); ++g)
      middle_fft_.pad(buffer(), column(g), lane_at(plane, g * n_rows), 1);
    for (int64_t row = 0; row < n_rows; row += kLanes) convolve_rows(plane, n_rows, row, depth);
    for (int64_t g = 0; g < n_col_groups(); ++g)
      middle_fft_.crop(buffer(), lane_at(plane, g * n_rows), 1, column(g), 1);
  }

  // columns: (column groups, n_rows) lanes.
  void convolve_rows(Complex<T>* columns, int64_t n_rows, int64_t row, int64_t depth) const {
    Complex<T>* rows = row_.template as<Complex<T>>();
    const int64_t n_there = std::min<int64_t>(kLanes, n_rows - row);
    for (int64_t g = 0; g < n_col_groups(); ++g)
      turn_to_rows<1>(lane_at(columns, g * n_rows + row), n_there, lane_at(rows, g * kLanes));
    row_fft_.pad(buffer(), rows, rows, 1);
    weight(rows, row, depth);
    row_fft_.crop(buffer(), rows, 1, rows, 1);
    for (int64_t g = 0; g < n_col_groups(); ++g)
      turn_to_columns<1>(lane_at(rows, g * kLanes), n_there, lane_at(columns, g * n_rows + row));
  }

  void weight(Complex<T>* rows, int64_t row, int64_t depth) const {
    const int64_t n_bands = (plan_.grid[1] + kLanes - 1) / kLanes;
    const T* weights =
        chunk_.transfer() + (depth * n_bands + row / kLanes) * plan_.grid[2] * kLanes;
    for (int64_t col = 0; col < plan_.grid[2]; ++col)
      store_lanes(load_lanes<T>(lane_at(rows, col)) * spread_over_images<1>(weights + col * kLanes),
                  lane_at(rows, col));
  }

  const Chunk<T>& chunk_;
  const NufftPlan<T>& plan_;
  AxisFft<T> row_fft_, middle_fft_;
  Scratch plane_, row_, buffer_;
};

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
