// Eight rows, or eight columns, of an image on their way through k-space.
#pragma once

#include "../round_trip.h"
#include "lane_fft.h"
#include "lane_rows.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

static_assert(kTripLanes == kLanes);

// Rows of columns that are asked for before they are needed: a step from row to row is too long for
// the processor to foresee.
constexpr int64_t kTripRowsAhead = 16;

// What becomes of an image before the transform and after it: nothing; less the base and plus it;
// times the coil's map and its conjugate; made complex.
enum TripKind { kPlain, kWithBase, kWithMap, kReal };
using TripKinds = std::integer_sequence<int, kPlain, kWithBase, kWithMap, kReal>;

// One image of the batch, as one coil sees it: what goes into the transform, and what comes out.
template <class T>
class TripImage {
 public:
  TripImage(const RoundTrip<T>& trip, int64_t plane, int64_t coil)
      : plane(plane), is_first_(coil == 0), streams_(trip.streams) {
    const int64_t first = plane * trip.n_pixels();
    const int64_t maps = trip.maps_are_shared ? 0 : plane / trip.extent.coils;
    image_ = trip.image ? trip.image + first : nullptr;
    real_image_ = trip.real_image ? trip.real_image + first : nullptr;
    base_ = trip.base ? trip.base + first : nullptr;
    map_ = trip.coil_maps ? trip.coil_maps + (maps * trip.coils + coil) * trip.n_pixels() : nullptr;
    out_ = trip.out + first;
  }

  TripKind kind() const {
    return real_image_ ? kReal : base_ ? kWithBase : map_ ? kWithMap : kPlain;
  }

  // `count` pixels of a row, from pixel `first` on.
  template <int kind>
  MRIRECON_HD Lanes<T> load(int64_t first, int64_t count) const {
    if constexpr (kind == kReal) return load_real(first, count);
    Lanes<T> x = load_lanes(image_ + first, count);
    if constexpr (kind == kWithBase) x = x - load_lanes(base_ + first, count);
    if constexpr (kind == kWithMap) x = multiply<false>(x, load_lanes(map_ + first, count));
    return x;
  }

  // Ask for what `load` will read from there.
  template <int kind>
  MRIRECON_HD void prefetch(int64_t first) const {
    if constexpr (kind == kReal) return __builtin_prefetch(real_image_ + first, 0, 2);
    __builtin_prefetch(image_ + first, 0, 2);
    if constexpr (kind == kWithBase) __builtin_prefetch(base_ + first, 0, 2);
    if constexpr (kind == kWithMap) __builtin_prefetch(map_ + first, 0, 2);
  }
  // a + i b of real images, of so many pixels each.
  MRIRECON_HD Lanes<T> load_pair(int64_t a, int64_t count_a, int64_t b, int64_t count_b) const {
    if (count_a == kLanes && count_b == kLanes) return join_reals(real_image_ + a, real_image_ + b);
    T some[2][kLanes] = {};
    std::copy_n(real_image_ + a, count_a, some[0]);
    std::copy_n(real_image_ + b, count_b, some[1]);
    return join_reals(some[0], some[1]);
  }
  MRIRECON_HD void prefetch_out(int64_t first) const { __builtin_prefetch(out_ + first, 1, 2); }

  // What to store there of `count` pixels after the transform.
  template <int kind>
  MRIRECON_HD Lanes<T> result(Lanes<T> x, int64_t first, int64_t count) const {
    if constexpr (kind == kWithMap) {
      x = multiply<true>(x, load_lanes(map_ + first, count));
      if (!is_first_) x = x + load_lanes<T>(out_ + first, count);
    }
    if constexpr (kind == kWithBase) x = x + load_lanes(base_ + first, count);
    return x;
  }

  MRIRECON_HD void store(const Lanes<T>& x, int64_t first, int64_t count) const {
    streams_ ? stream_lanes(x, out_ + first) : store_lanes(x, out_ + first, count);
  }

  const int64_t plane;

 private:
  MRIRECON_HD Lanes<T> load_real(int64_t first, int64_t count) const {
    T some[kLanes] = {};
    const T* reals = real_image_ + first;
    if (count < kLanes) reals = std::copy_n(reals, count, some) - count;
    Lanes<T> x = spread_over_images<1>(reals);
    const auto real_part = repeat_pair(Complex<T>{T(1), T(0)});
    Lanes<T>::each_part([&](size_t k) { x.part[k] *= real_part; });
    return x;
  }

  bool is_first_, streams_;
  const Complex<T>*image_, *base_, *map_;
  const T* real_image_;
  Complex<T>* out_;
};

// The noise of the samples at one frequency of eight lanes.
template <class T>
struct LaneNoise {
  RowNoise<T> plane;
  int64_t first, per_frequency, per_lane;  // numbers of samples

  // Drawn for all eight, also where few are measured: a loop without a branch becomes vector code.
  [[gnu::noinline]] Lanes<T> add_to(const Lanes<T>& x, int64_t k, const bool* is_measured) const {
    const uint64_t sample = plane.first + static_cast<uint64_t>(first + k * per_frequency);
    T re[kLanes], im[kLanes];
    for (uint64_t lane = 0; lane < kLanes; ++lane) {
      const Complex<T> normal =
          complex_normal<T>(plane.seed, sample + lane * static_cast<uint64_t>(per_lane));
      re[lane] = plane.std * normal.re;
      im[lane] = plane.std * normal.im;
    }
    for (int64_t lane = 0; lane < kLanes; ++lane)
      if (!is_measured[lane]) re[lane] = im[lane] = 0;
    return x + join_reals(re, im);
  }
};

// Call body(col, count, is_whole) for every eight columns of eight rows. Of a whole square both are
// constants, so that what is done with it is one straight line.
template <class Body>
void each_square(int64_t cols, bool has_all_rows, const Body& body) {
  const int64_t end = has_all_rows ? cols / kLanes * kLanes : 0;
  for (int64_t col = 0; col < end; col += kLanes)
    body(col, std::integral_constant<int64_t, kLanes>{}, std::true_type{});
  for (int64_t col = end; col < cols; col += kLanes)
    body(col, std::min<int64_t>(kLanes, cols - col), std::false_type{});
}

// Eight rows of `count` columns each  ->  columns of eight rows.
template <class T>
MRIRECON_HD void store_turned(Lanes<T> (&x)[kLanes], int64_t count, Complex<T>* columns) {
  transpose<1>(x);
#pragma GCC unroll 8
  for (int64_t i = 0; i < kLanes; ++i)
    if (i < count) store_lanes(x[i], lane_at(columns, i));
}

template <class T>
MRIRECON_HD void load_turned(const Complex<T>* columns, int64_t count, Lanes<T> (&x)[kLanes]) {
#pragma GCC unroll 8
  for (int64_t i = 0; i < kLanes; ++i)
    x[i] = i < count ? load_lanes(lane_at(columns, i)) : zero_lanes<T>();
  transpose<1>(x);
}

// Groups of eight rows or columns, which are transformed along the other axis.
template <class T>
class Tiles {
 public:
  Tiles(const RoundTrip<T>& trip, bool are_rows) : trip_(trip), are_rows_(are_rows) {}

  int64_t length() const { return are_rows_ ? trip_.extent.cols : trip_.extent.rows; }

  void read(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    with_constant(image.kind(), TripKinds{}, [&](auto kind) {
      are_rows_ ? read_rows<kind>(image, tile, buffer) : read_cols<kind>(image, tile, buffer);
    });
  }

  void write(const TripImage<T>& image, int64_t tile, const Complex<T>* buffer) const {
    with_constant(image.kind(), TripKinds{}, [&](auto kind) {
      are_rows_ ? write_rows<kind>(image, tile, buffer) : write_cols<kind>(image, tile, buffer);
    });
  }

  int64_t n_rows(int64_t tile) const {
    return std::min<int64_t>(kLanes, trip_.extent.rows - tile * kLanes);
  }
  int64_t n_cols(int64_t tile) const {
    return std::min<int64_t>(kLanes, trip_.extent.cols - tile * kLanes);
  }

  LaneNoise<T> noise(int64_t plane, int64_t tile) const {
    const int64_t cols = trip_.extent.cols;
    if (are_rows_) return {noise_of_plane(trip_, plane), tile * kLanes * cols, 1, cols};
    return {noise_of_plane(trip_, plane), tile * kLanes, cols, 1};
  }

 private:
  template <int kind>
  void read_rows(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    const int64_t cols = trip_.extent.cols, first = tile * kLanes * cols, n = n_rows(tile);
    // Eight rows of two images are more streams than the processor foresees: ask for the next tile,
    // unless it lies in the second cache, where asking takes as long as reading.
    const bool asks = trip_.streams && (tile + 2) * kLanes <= trip_.extent.rows;
    each_square(cols, n == kLanes, [&](int64_t col, auto count, auto is_whole) {
      Lanes<T> x[kLanes];
#pragma GCC unroll 8
      for (int64_t r = 0; r < kLanes; ++r) {
        const int64_t place = first + r * cols + col;
        if (asks) image.template prefetch<kind>(place + kLanes * cols);
        x[r] = is_whole || r < n ? image.template load<kind>(place, count) : zero_lanes<T>();
      }
      store_turned(x, count, lane_at(buffer, col));
    });
  }

  template <int kind>
  void write_rows(const TripImage<T>& image, int64_t tile, const Complex<T>* buffer) const {
    const int64_t cols = trip_.extent.cols, first = tile * kLanes * cols, n = n_rows(tile);
    each_square(cols, n == kLanes, [&](int64_t col, auto count, auto is_whole) {
      Lanes<T> x[kLanes];
      load_turned(lane_at(buffer, col), count, x);
      // All loads before all stores: the processor takes a store for one to each address that has
      // the same last 12 bits.
#pragma GCC unroll 8
      for (int64_t r = 0; r < kLanes; ++r)
        if (is_whole || r < n)
          x[r] = image.template result<kind>(x[r], first + r * cols + col, count);
#pragma GCC unroll 8
      for (int64_t r = 0; r < kLanes; ++r)
        if (is_whole || r < n) image.store(x[r], first + r * cols + col, count);
    });
  }

  template <int kind>
  void read_cols(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    const int64_t rows = trip_.extent.rows, cols = trip_.extent.cols, first = tile * kLanes;
    const int64_t count = n_cols(tile);
    for (int64_t r = 0; r < rows; ++r) {
      image.template prefetch<kind>(first + std::min(r + kTripRowsAhead, rows - 1) * cols);
      image.prefetch_out(first + r * cols);
      store_lanes(image.template load<kind>(first + r * cols, count), lane_at(buffer, r));
    }
  }

  template <int kind>
  void write_cols(const TripImage<T>& image, int64_t tile, const Complex<T>* buffer) const {
    const int64_t cols = trip_.extent.cols, first = tile * kLanes, count = n_cols(tile);
    for (int64_t r = 0; r < trip_.extent.rows; ++r)
      image.store(
          image.template result<kind>(load_lanes(lane_at(buffer, r)), first + r * cols, count),
          first + r * cols, count);
  }

  const RoundTrip<T>& trip_;
  bool are_rows_;
};

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
