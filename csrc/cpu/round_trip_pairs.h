// Real images along one axis: sixteen rows, or columns, on their way through k-space as eight
// complex ones.
//
// Of z = a + i b, with a and b real, the even part E of the weights gives Re(W a) + i Re(W b),
// since F* E F is real, and -i times the odd part O gives Im(W a) + i Im(W b), since F* O F is
// imaginary. So two lines take three transforms instead of four.
#pragma once

#include "round_trip_tiles.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

template <class T>
class PairTiles {
 public:
  explicit PairTiles(const RoundTrip<T>& trip)
      : extent_(trip.extent), are_rows_(trip.col_roots), streams_(trip.streams) {}

  int64_t length() const { return are_rows_ ? extent_.cols : extent_.rows; }

  void read(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    are_rows_ ? read_rows(image, tile, buffer) : read_cols(image, tile, buffer);
  }

  // real, imag: of what comes out, as the real and imaginary parts of the two halves of the tile.
  void write(const TripImage<T>& image, int64_t tile, const Complex<T>* real,
             const Complex<T>* imag) const {
    are_rows_ ? write_rows(image, tile, real, imag) : write_cols(image, tile, real, imag);
  }

 private:
  // How many of eight lines from there on are in the image.
  static int64_t count_from(int64_t first, int64_t size) {
    return std::clamp<int64_t>(size - first, 0, kLanes);
  }

  void read_rows(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    const int64_t cols = extent_.cols, first = tile * 2 * kLanes;
    const int64_t n_a = count_from(first, extent_.rows);
    const int64_t n_b = count_from(first + kLanes, extent_.rows);
    const bool asks = streams_ && first + 4 * kLanes <= extent_.rows;
    each_square(cols, n_b == kLanes, [&](int64_t col, auto count, auto is_whole) {
      Lanes<T> x[kLanes];
#pragma GCC unroll 8
      for (int64_t r = 0; r < kLanes; ++r) {
        const int64_t a = (first + r) * cols + col, b = a + kLanes * cols;
        if (asks && col % (2 * kLanes) == 0) {
          image.template prefetch<kReal>(a + 2 * kLanes * cols);
          image.template prefetch<kReal>(b + 2 * kLanes * cols);
        }
        const int64_t count_a = is_whole || r < n_a ? count : 0;
        x[r] = image.load_pair(a, count_a, b, is_whole || r < n_b ? count : 0);
      }
      store_turned(x, count, lane_at(buffer, col));
    });
  }

  void write_rows(const TripImage<T>& image, int64_t tile, const Complex<T>* real,
                  const Complex<T>* imag) const {
    const int64_t cols = extent_.cols, first = tile * 2 * kLanes;
    const int64_t n_a = count_from(first, extent_.rows);
    const int64_t n_b = count_from(first + kLanes, extent_.rows);
    each_square(cols, n_b == kLanes, [&](int64_t col, auto count, auto is_whole) {
      Lanes<T> re[kLanes], im[kLanes];
      load_turned(lane_at(real, col), count, re);
      load_turned(lane_at(imag, col), count, im);
#pragma GCC unroll 8
      for (int64_t r = 0; r < kLanes; ++r) {
        const int64_t a = (first + r) * cols + col, b = a + kLanes * cols;
        if (is_whole || r < n_a) image.store(join_parts<0>(re[r], im[r]), a, count);
        if (is_whole || r < n_b) image.store(join_parts<1>(re[r], im[r]), b, count);
      }
    });
  }

  void read_cols(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    const int64_t first = tile * 2 * kLanes, n_a = count_from(first, extent_.cols);
    const int64_t n_b = count_from(first + kLanes, extent_.cols);
    for (int64_t r = 0; r < extent_.rows; ++r) {
      const int64_t a = r * extent_.cols + first;
      store_lanes(image.load_pair(a, n_a, a + kLanes, n_b), lane_at(buffer, r));
    }
  }

  void write_cols(const TripImage<T>& image, int64_t tile, const Complex<T>* real,
                  const Complex<T>* imag) const {
    const int64_t first = tile * 2 * kLanes, n_a = count_from(first, extent_.cols);
    const int64_t n_b = count_from(first + kLanes, extent_.cols);
    for (int64_t r = 0; r < extent_.rows; ++r) {
      const Lanes<T> re = load_lanes(lane_at(real, r)), im = load_lanes(lane_at(imag, r));
      const int64_t a = r * extent_.cols + first;
      image.store(join_parts<0>(re, im), a, n_a);
      if (n_b > 0) image.store(join_parts<1>(re, im), a + kLanes, n_b);
    }
  }

  Extent extent_;
  bool are_rows_, streams_;
};

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
