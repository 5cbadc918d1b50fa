#include "../round_trip.h"

#include "../scratch.h"
#include "items.h"
#include "round_trip_pairs.h"
#include "round_trip_plane.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// The weight of each frequency; of a mask that varies along the transformed axis alone.
template <class T>
void read_weights(const RoundTrip<T>& trip, int64_t plane, int64_t length, T* weights) {
  const bool* mask = trip.mask.data + plane / trip.extent.coils * trip.mask.batch_stride;
  const int64_t stride = trip.col_roots ? trip.mask.col_stride : trip.mask.row_stride;
  const int64_t centre = length / 2;
  for (int64_t k = 0; k < length; ++k)
    weights[k] = mask[(k + centre - (k < length - centre ? 0 : length)) * stride] ? trip.measured
                                                                                  : trip.rest;
}

template <class T>
void filter_tile(const RoundTrip<T>& trip, const Tiles<T>& tiles, const LaneFft<T>& fft,
                 int64_t item, const T* weights, Complex<T>* buffer) {
  const auto weigh = [weights](int64_t k, const Lanes<T>& x) { return weights[k] * x; };
  if (!trip.noise_std) return fft.filter(buffer, weigh);
  const LaneNoise<T> noise = tiles.noise(item / trip.tiles(), item % trip.tiles());
  constexpr bool kAll[kLanes] = {true, true, true, true, true, true, true, true};
  fft.filter(buffer, [&, weights, weigh](int64_t k, const Lanes<T>& x) {
    return weights[k] == trip.rest ? weigh(k, x) : noise.add_to(weigh(k, x), k, kAll);
  });
}

// Along one axis all of it happens in a tile that stays in the first cache.
template <class T>
void run_lines(const RoundTrip<T>& trip, int64_t begin, int64_t end) {
  const Tiles<T> tiles(trip, trip.col_roots != nullptr);
  const LaneFft<T> fft(tiles.length(), trip.col_roots ? trip.col_roots : trip.row_roots);
  const Scratch memory(sizeof(Complex<T>) * kLanes * tiles.length());
  const Scratch weights(sizeof(T) * tiles.length());
  Complex<T>* const buffer = memory.as<Complex<T>>();
  for (int64_t item = begin; item < end; ++item) {
    const int64_t plane = item / trip.tiles(), tile = item % trip.tiles();
    if (item == begin || tile == 0) read_weights(trip, plane, tiles.length(), weights.as<T>());
    for (int64_t coil = 0; coil < trip.coils; ++coil) {
      const TripImage<T> image(trip, plane, coil);
      tiles.read(image, tile, buffer);
      filter_tile(trip, tiles, fft, item, weights.as<T>(), buffer);
      tiles.write(image, tile, buffer);
    }
  }
}

// The weights' even part, and their odd one.
template <class T>
void split_weights(int64_t length, const T* weights, T* even, T* odd) {
  for (int64_t k = 0; k < length; ++k) {
    const T opposite = weights[k == 0 ? 0 : length - k];
    even[k] = (weights[k] + opposite) / 2;
    odd[k] = (weights[k] - opposite) / 2;
  }
}

template <class T>
void run_pairs(const RoundTrip<T>& trip, int64_t begin, int64_t end) {
  const PairTiles<T> tiles(trip);
  const int64_t length = tiles.length();
  const LaneFft<T> fft(length, trip.col_roots ? trip.col_roots : trip.row_roots);
  const Scratch memory(2 * sizeof(Complex<T>) * kLanes * length);
  const Scratch weights(3 * sizeof(T) * length);
  Complex<T>*const real = memory.as<Complex<T>>(), *const imag = lane_at(real, length);
  T *const even = weights.as<T>(), *const odd = even + length, *const all = odd + length;
  for (int64_t item = begin; item < end; ++item) {
    const int64_t plane = item / trip.tiles(), tile = item % trip.tiles();
    if (item == begin || tile == 0) {
      read_weights(trip, plane, length, all);
      split_weights(length, all, even, odd);
    }
    const TripImage<T> image(trip, plane, 0);
    tiles.read(image, tile, real);
    fft.start_filter(real);
    fft.end_filter(
        real, [odd](int64_t k, const Lanes<T>& x) { return odd[k] * turned_back(x); }, imag);
    fft.end_filter(real, [even](int64_t k, const Lanes<T>& x) { return even[k] * x; }, real);
    tiles.write(image, tile, real, imag);
  }
}

template <class T>
void run_planes(const RoundTrip<T>& trip, int64_t begin, int64_t end) {
  const Scratch memory(sizeof(Complex<T>) * trip.plane_size());
  const TripPlane<T> pass(trip, memory.as<Complex<T>>());
  for (int64_t plane = begin; plane < end; ++plane)
    for (int64_t coil = 0; coil < trip.coils; ++coil)
      for (const TripStep step : {TripStep::rows, TripStep::columns, TripStep::rows_back})
        pass.run(step, plane, coil, 0,
                 step == TripStep::columns ? trip.col_tiles() : trip.row_tiles());
}

template <class T>
void rows(const RoundTrip<T>& args, int64_t begin, int64_t end) {
  if (args.is_plane_wise())
    run_planes(args, begin, end);
  else
    args.is_paired() ? run_pairs(args, begin, end) : run_lines(args, begin, end);
  finish_streams();
}

template <class T>
void rows(const RoundTripStep<T>& args, int64_t begin, int64_t end) {
  TripPlane<T>(args.trip, args.memory).run(args.step, args.plane, args.coil, begin, end);
  finish_streams();
}

}  // namespace MRIRECON_SIMD

template void run_items<kSimd>(const RoundTrip<float>&, int64_t, int64_t);
template void run_items<kSimd>(const RoundTrip<double>&, int64_t, int64_t);
template void run_items<kSimd>(const RoundTripStep<float>&, int64_t, int64_t);
template void run_items<kSimd>(const RoundTripStep<double>&, int64_t, int64_t);

}  // namespace mrirecon
