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

// One image of the batch, as one coil sees it: what goes into the transform, and what comes out.
template <class T>
class TripImage {
 public:
  TripImage(const RoundTrip<T>& trip, int64_t plane, int64_t coil)
      : plane(plane), is_first_(coil == 0) {
    const int64_t first = plane * trip.n_pixels();
    const int64_t maps = trip.maps_are_shared ? 0 : plane / trip.extent.coils;
    image_ = trip.image ? trip.image + first : nullptr;
    real_image_ = trip.real_image ? trip.real_image + first : nullptr;
    base_ = trip.base ? trip.base + first : nullptr;
    map_ = trip.coil_maps ? trip.coil_maps + (maps * trip.coils + coil) * trip.n_pixels() : nullptr;
    out_ = trip.out + first;
  }

  // `count` pixels of a row, from pixel `first` on.
  MRIRECON_HD Lanes<T> load(int64_t first, int64_t count) const {
    if (real_image_) return load_real(first, count);
    Lanes<T> x = load_lanes(image_ + first, count);
    if (base_) x = x - load_lanes(base_ + first, count);
    if (map_) x = multiply<false>(x, load_lanes(map_ + first, count));
    return x;
  }

  // Ask for what `load` will read from there, and for what `store` will write.
  MRIRECON_HD void prefetch(int64_t first) const {
    if (image_) __builtin_prefetch(image_ + first, 0, 2);
    if (real_image_ && first % (2 * kLanes) == 0) __builtin_prefetch(real_image_ + first, 0, 2);
    if (base_) __builtin_prefetch(base_ + first, 0, 2);
    if (map_) __builtin_prefetch(map_ + first, 0, 2);
  }
  MRIRECON_HD void prefetch_out(int64_t first) const { __builtin_prefetch(out_ + first, 1, 2); }

  MRIRECON_HD void store(Lanes<T> x, int64_t first, int64_t count) const {
    if (map_) x = multiply<true>(x, load_lanes(map_ + first, count));
    if (map_ && !is_first_) x = x + load_lanes<T>(out_ + first, count);
    if (base_) x = x + load_lanes(base_ + first, count);
    store_lanes(x, out_ + first, count);
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

  bool is_first_;
  const Complex<T>*image_, *base_, *map_;
  const T* real_image_;
  Complex<T>* out_;
};

// The noise of the samples at one frequency of eight lanes.
template <class T>
struct LaneNoise {
  RowNoise<T> plane;
  int64_t first, per_frequency, per_lane;  // numbers of samples

  [[gnu::noinline]] Lanes<T> add_to(const Lanes<T>& x, int64_t k, const bool* is_measured) const {
    Complex<T> samples[kLanes];
    store_lanes(x, samples);
    for (int64_t lane = 0; lane < kLanes; ++lane)
      if (is_measured[lane])
        samples[lane] = masked_with_noise(samples[lane], true, plane,
                                          first + k * per_frequency + lane * per_lane);
    return load_lanes(samples);
  }
};

// Groups of eight rows or columns, which are transformed along the other axis.
template <class T>
class Tiles {
 public:
  Tiles(const RoundTrip<T>& trip, bool are_rows) : trip_(trip), are_rows_(are_rows) {}

  int64_t length() const { return are_rows_ ? trip_.extent.cols : trip_.extent.rows; }

  void read(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    are_rows_ ? read_rows(image, tile, buffer) : read_cols(image, tile, buffer);
  }

  void write(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    are_rows_ ? write_rows(image, tile, buffer) : write_cols(image, tile, buffer);
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
  void read_rows(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    const int64_t cols = trip_.extent.cols, rows = n_rows(tile);
    // Eight rows of two images are more streams than the processor foresees: ask for the next tile.
    const int64_t ahead = (tile + 1) * kLanes + rows <= trip_.extent.rows ? kLanes * cols : 0;
    for (int64_t block = 0; block < trip_.col_tiles(); ++block) {
      Lanes<T> x[kLanes];
      for (int64_t r = 0; r < rows; ++r) {
        image.prefetch((tile * kLanes + r) * cols + block * kLanes + ahead);
        image.prefetch_out((tile * kLanes + r) * cols + block * kLanes);
      }
      for (int64_t r = 0; r < kLanes; ++r)
        x[r] = r < rows ? image.load((tile * kLanes + r) * cols + block * kLanes, n_cols(block))
                        : zero_lanes<T>();
      transpose<1>(x);
      for (int64_t i = 0; i < n_cols(block); ++i)
        store_lanes(x[i], lane_at(buffer, block * kLanes + i));
    }
  }

  void write_rows(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    const int64_t cols = trip_.extent.cols, rows = n_rows(tile);
    for (int64_t block = 0; block < trip_.col_tiles(); ++block) {
      Lanes<T> x[kLanes];
      for (int64_t i = 0; i < kLanes; ++i)
        x[i] =
            i < n_cols(block) ? load_lanes(lane_at(buffer, block * kLanes + i)) : zero_lanes<T>();
      transpose<1>(x);
      for (int64_t r = 0; r < rows; ++r)
        image.store(x[r], (tile * kLanes + r) * cols + block * kLanes, n_cols(block));
    }
  }

  void read_cols(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    for (int64_t r = 0; r < trip_.extent.rows; ++r) {
      image.prefetch(std::min(r + kTripRowsAhead, trip_.extent.rows - 1) * trip_.extent.cols +
                     tile * kLanes);
      image.prefetch_out(r * trip_.extent.cols + tile * kLanes);
      store_lanes(image.load(r * trip_.extent.cols + tile * kLanes, n_cols(tile)),
                  lane_at(buffer, r));
    }
  }

  void write_cols(const TripImage<T>& image, int64_t tile, Complex<T>* buffer) const {
    for (int64_t r = 0; r < trip_.extent.rows; ++r)
      image.store(load_lanes(lane_at(buffer, r)), r * trip_.extent.cols + tile * kLanes,
                  n_cols(tile));
  }

  const RoundTrip<T>& trip_;
  bool are_rows_;
};

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
