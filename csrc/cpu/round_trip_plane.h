// A round trip along both axes: rows there, columns there and back, rows back. In between an image
// is a plane of columns in lanes, which stays in the second cache: (column tiles, rows, lanes).
#pragma once

#include "../scratch.h"
#include "round_trip_tiles.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// Eight columns of a mask, around its end if need be.
template <class T>
class MaskTile {
 public:
  struct LaneMask {
    bool is_measured[kLanes];
  };

  MaskTile(const RoundTrip<T>& trip, int64_t plane, int64_t tile)
      : data_(trip.mask.data + plane / trip.extent.coils * trip.mask.batch_stride),
        row_stride_(trip.mask.row_stride),
        centre_(trip.extent.rows / 2),
        before_end_(trip.extent.rows - centre_),
        measured_(trip.measured),
        rest_(trip.rest) {
    for (int64_t i = 0; i < kLanes; ++i)
      places_[i] =
          (tile * kLanes + i + trip.extent.cols / 2) % trip.extent.cols * trip.mask.col_stride;
    is_run_ = places_[kLanes - 1] == places_[0] + kLanes - 1 && trip.mask.col_stride == 1;
  }

  // Of row frequency k.
  MRIRECON_HD LaneMask lanes(int64_t k) const {
    const bool* const row = data_ + (k < before_end_ ? k + centre_ : k - before_end_) * row_stride_;
    LaneMask mask;
    if (is_run_)
      std::memcpy(&mask, row + places_[0], sizeof mask);
    else
      for (int64_t i = 0; i < kLanes; ++i) mask.is_measured[i] = row[places_[i]];
    return mask;
  }

  // Of each lane; word by word, since g++ takes eight bytes apart one by one to widen them.
  MRIRECON_HD Lanes<T> weights(int64_t k) const {
    const LaneMask mask = lanes(k);
    uint64_t bytes;
    std::memcpy(&bytes, &mask, sizeof bytes);
    const auto measured = repeat_pair(Complex<T>{measured_, measured_});
    const auto rest = repeat_pair(Complex<T>{rest_, rest_});
    Lanes<T> weights;
    Lanes<T>::each_part([&](size_t part) {
      const Words byte = (Words{} + bytes) >> shifts(part, std::make_index_sequence<kWords>{});
      weights.part[part] = (decltype(rest))((byte & 1) != 0 ? (Words)measured : (Words)rest);
    });
    return weights;
  }

 private:
  static constexpr size_t kWords = kRegisterBytes / 8;
  using Words = typename RegisterOf<uint64_t, kWords>::type;

  template <size_t... i>
  MRIRECON_HD static Words shifts(size_t part, std::index_sequence<i...>) {
    return Words{(part * kWords + i) * 8 / sizeof(Complex<T>) * 8 ...};
  }

  const bool* data_;
  int64_t row_stride_, centre_, before_end_;
  T measured_, rest_;
  int64_t places_[kLanes];
  bool is_run_;
};

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
        buffer, [buffer](int64_t col) { return load_lanes(lane_at(buffer, col)); },
        [ordered](int64_t k, const Lanes<T>& x) { store_lanes(x, lane_at(ordered, k)); });
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
        buffer_.as<Complex<T>>(), [ordered](int64_t k) { return load_lanes(lane_at(ordered, k)); },
        [ordered, cols](int64_t k, const Lanes<T>& x) {  // the inverse transform has it at -k
          store_lanes(x, lane_at(ordered, k == 0 ? 0 : cols - k));
        });
    row_tiles_.write(image, tile, ordered);
  }

  void weigh(const TripImage<T>& image, int64_t tile) const {
    const MaskTile<T> mask(trip_, image.plane, tile);
    const auto weigh = [mask](int64_t k, const Lanes<T>& x) { return x * mask.weights(k); };
    if (!trip_.noise_std) return along_col_.filter(plane_at(tile, 0), weigh);
    const LaneNoise<T> noise = col_tiles_.noise(image.plane, tile);
    along_col_.filter(plane_at(tile, 0), [&](int64_t k, const Lanes<T>& x) {
      return noise.add_to(weigh(k, x), k, mask.lanes(k).is_measured);
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
