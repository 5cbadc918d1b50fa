// A round trip along both axes: rows there, columns there and back, rows back. In between an image
// is a plane of columns in lanes, which stays in the second cache: (column tiles, rows, lanes).
#pragma once

#include "../scratch.h"
#include "round_trip_tiles.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

template <class T>
class TripPlane {
 public:
  TripPlane(const RoundTrip<T>& trip, Complex<T>* memory)
      : trip_(trip),
        memory_(memory),
        row_tiles_(trip, true),
        col_tiles_(trip, false),
        along_row_(trip.extent.cols, trip.col_roots),
        along_col_(trip.extent.rows, trip.row_roots),
        buffer_(lane_bytes()),
        ordered_(lane_bytes()) {
    std::memset(ordered_.as<void>(), 0, lane_bytes());  // also the lanes beyond the last column
  }

  // Run the tiles [begin, end) of a step.
  void run(TripStep step, int64_t plane, int64_t coil, int64_t begin, int64_t end) const {
    const TripImage<T> image(trip_, plane, coil);
    for (int64_t tile = begin; tile < end; ++tile) {
      if (step == TripStep::rows) forward(image, tile);
      if (step == TripStep::columns) weigh(image, tile);
      if (step == TripStep::rows_back) back(image, tile);
    }
  }

 private:
  size_t lane_bytes() const {
    return sizeof(Complex<T>) * static_cast<size_t>(kLanes * kLanes * trip_.col_tiles());
  }
  Complex<T>* plane_at(int64_t col_tile, int64_t row) const {
    return lane_at(memory_, col_tile * trip_.extent.rows + row);
  }

  void forward(const TripImage<T>& image, int64_t tile) const {
    Complex<T>* const buffer = buffer_.as<Complex<T>>();
    Complex<T>* const ordered = ordered_.as<Complex<T>>();
    row_tiles_.read(image, tile, buffer);
    along_row_.run(
        buffer, [&](int64_t col) { return load_lanes(lane_at(buffer, col)); },
        [&](int64_t k, const Lanes<T>& x) { store_lanes(x, lane_at(ordered, k)); });
    for (int64_t g = 0; g < trip_.col_tiles(); ++g)
      turn_to_columns<1>(lane_at(ordered, g * kLanes), row_tiles_.n_rows(tile),
                         plane_at(g, tile * kLanes));
  }

  void back(const TripImage<T>& image, int64_t tile) const {
    Complex<T>* const ordered = ordered_.as<Complex<T>>();
    for (int64_t g = 0; g < trip_.col_tiles(); ++g)
      turn_to_rows<1>(plane_at(g, tile * kLanes), row_tiles_.n_rows(tile),
                      lane_at(ordered, g * kLanes));
    const int64_t cols = trip_.extent.cols;
    along_row_.run(
        buffer_.as<Complex<T>>(), [&](int64_t k) { return load_lanes(lane_at(ordered, k)); },
        [&](int64_t k, const Lanes<T>& x) {  // the inverse transform has it at -k
          store_lanes(x, lane_at(ordered, k == 0 ? 0 : cols - k));
        });
    row_tiles_.write(image, tile, ordered);
  }

  // Eight columns of the mask, around its end if need be.
  void weigh(const TripImage<T>& image, int64_t tile) const {
    const int64_t rows = trip_.extent.rows, cols = trip_.extent.cols;
    const bool* const mask =
        trip_.mask.data + image.plane / trip_.extent.coils * trip_.mask.batch_stride;
    int64_t places[kLanes];
    for (int64_t i = 0; i < kLanes; ++i)
      places[i] = (tile * kLanes + i + cols / 2) % cols * trip_.mask.col_stride;
    const auto is_measured = [&](int64_t k, bool (&lanes)[kLanes]) {
      const bool* const row = mask + (k + rows / 2) % rows * trip_.mask.row_stride;
      for (int64_t i = 0; i < kLanes; ++i) lanes[i] = row[places[i]];
    };
    const auto weigh = [&](int64_t k, const Lanes<T>& x) {
      bool lanes[kLanes];
      T weights[kLanes];
      is_measured(k, lanes);
      for (int64_t i = 0; i < kLanes; ++i) weights[i] = lanes[i] ? trip_.measured : trip_.rest;
      return x * spread_over_images<1>(weights);
    };
    if (!trip_.noise_std) return along_col_.filter(plane_at(tile, 0), weigh);
    const LaneNoise<T> noise = col_tiles_.noise(image.plane, tile);
    along_col_.filter(plane_at(tile, 0), [&](int64_t k, const Lanes<T>& x) {
      bool lanes[kLanes];
      is_measured(k, lanes);
      return noise.add_to(weigh(k, x), k, lanes);
    });
  }

  const RoundTrip<T>& trip_;
  Complex<T>* memory_;
  Tiles<T> row_tiles_, col_tiles_;
  LaneFft<T> along_row_, along_col_;
  Scratch buffer_, ordered_;
};

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
