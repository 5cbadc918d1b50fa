// From images to k-space and back at once: out = base + S* F* W F S (image - base), with the
// centred orthonormal transform F, a weight W for what a mask has measured and another for the
// rest, and coil maps S, if there are any.
//
// Shifts cancel: F* W F is a circular convolution, which commutes with them, so that only the mask
// is shifted. Along an axis on which the mask is constant the transform and its inverse cancel too.
#pragma once

#include "geometry.h"
#include "masking.h"

namespace mrirecon {

constexpr int64_t kTripLanes = 8;  // rows or columns that are transformed together

// Results from this size on are written past the caches. Measured with the operator that reads the
// result next, 32 MiB of third cache: 4 MiB are slower by 14 % then, 8 MiB faster by 6 to 30 %.
constexpr int64_t kStreamedBytes = int64_t{8} << 20;

template <class T>
struct RoundTrip {
  const Complex<T>* image;      // (batch, images, rows, cols), or null
  const T* real_image;          // the same, where it is real
  const Complex<T>* base;       // (batch, images, rows, cols), or null: 0
  const Complex<T>* coil_maps;  // (batch or 1, coils, rows, cols), or null: one coil of 1
  bool maps_are_shared;         // by the whole batch
  Complex<T>* out;              // (batch, images, rows, cols)
  int64_t coils;                // of the maps; 1 without
  Extent extent;                // of the image
  MaskView mask;                // centred
  T measured, rest;             // weights, over the number of points that are transformed
  const T* noise_std;           // (batch,), of measured samples of F, or null: none
  T noise_scale;                // 1 / sqrt(points that are transformed)
  const int64_t* seeds;         // (batch,)
  const Complex<T>* row_roots;  // (rows,), exp(-2 pi i j / rows), or null: not along this axis
  const Complex<T>* col_roots;  // (cols,)
  int64_t whole_planes;         // images to transform along both axes, each by one thread
  bool streams;                 // out is large, and its rows are whole lines of the cache

  MRIRECON_HD int64_t n_pixels() const { return extent.rows * extent.cols; }
  MRIRECON_HD int64_t n_planes() const { return extent.batch * extent.coils; }
  MRIRECON_HD bool is_plane_wise() const { return row_roots && col_roots; }
  // Groups of eight rows, or of eight columns.
  MRIRECON_HD int64_t row_tiles() const { return (extent.rows + kTripLanes - 1) / kTripLanes; }
  MRIRECON_HD int64_t col_tiles() const { return (extent.cols + kTripLanes - 1) / kTripLanes; }
  // Of real images without noise two rows, or columns, go through one transform.
  MRIRECON_HD bool is_paired() const { return real_image && !noise_std && !is_plane_wise(); }
  MRIRECON_HD int64_t tiles() const {
    const int64_t tiles = col_roots ? row_tiles() : col_tiles();
    return is_paired() ? (tiles + 1) / 2 : tiles;
  }

  // An item is a tile where one axis is transformed, else an image.
  int64_t n_items() const { return is_plane_wise() ? whole_planes : n_planes() * tiles(); }
  int64_t item_size() const { return is_plane_wise() ? n_pixels() : n_pixels() / tiles() * coils; }
  // Of the memory in which both axes are transformed.
  int64_t plane_size() const { return col_tiles() * kTripLanes * extent.rows; }
};

// One image of a `RoundTrip` along both axes, by all threads: rows there, columns, rows back.
enum class TripStep { rows, columns, rows_back };

template <class T>
struct RoundTripStep {
  RoundTrip<T> trip;
  int64_t plane, coil;
  TripStep step;
  Complex<T>* memory;  // plane_size()

  int64_t n_items() const {
    return step == TripStep::columns ? trip.col_tiles() : trip.row_tiles();
  }
  int64_t item_size() const { return trip.n_pixels() / n_items(); }
};

// The noise of an image: a sample's number is its place in its element of the batch, where the axes
// that are transformed begin with frequency 0.
template <class T>
MRIRECON_HD RowNoise<T> noise_of_plane(const RoundTrip<T>& trip, int64_t plane) {
  const int64_t element = plane / trip.extent.coils;
  const int64_t first = plane % trip.extent.coils * trip.n_pixels();
  return {trip.noise_scale * trip.noise_std[element], static_cast<uint64_t>(trip.seeds[element]),
          static_cast<uint64_t>(first)};
}

}  // namespace mrirecon
