// Between images and the grid of a non-uniform Fourier transform (nufft.h), on a GPU, where the
// fast transform is a library's. On the CPU the whole is one pass. No shift is a copy.
#pragma once

#include "nufft.h"

namespace mrirecon {

// grid = apodisation image, or apodisation image coil_maps; zero where no pixel is
template <class T>
struct PadImage {
  const Complex<T>* image;      // (batch, coils, *shape); with maps (batch, 1, *shape)
  const Complex<T>* coil_maps;  // (batch or 1, coils, *shape), or null
  Complex<T>* grid;             // (batch, coils, *grid)
  NufftPlan<T> plan;
  int64_t batch, coils;
  bool maps_are_shared;  // by the whole batch

  int64_t n_items() const { return batch * coils * plan.grid[0] * plan.grid[1]; }  // grid lines
  int64_t item_size() const { return plan.grid[2]; }
};

// The adjoint of PadImage: image = apodisation grid, or the sum of that over coils, each times
// conj(coil_maps).
template <class T>
struct CropImage {
  const Complex<T>* grid;       // (batch, coils, *grid)
  const Complex<T>* coil_maps;  // (batch or 1, coils, *shape), or null
  Complex<T>* image;            // (batch, coils, *shape); with maps (batch, 1, *shape)
  NufftPlan<T> plan;
  int64_t batch, coils;
  bool maps_are_shared;

  int64_t n_items() const {  // image lines
    return batch * (coil_maps ? 1 : coils) * plan.shape[0] * plan.shape[1];
  }
  int64_t item_size() const { return plan.shape[2]; }
};

// What a pixel is multiplied with before it is put onto the grid, and after it is taken from it.
template <class T>
MRIRECON_HD T pixel_weight(const NufftPlan<T>& plan, int64_t plane, int64_t row, int64_t col) {
  return plan.axis_apodisation(0)[plane] * plan.axis_apodisation(1)[row] *
         plan.axis_apodisation(2)[col];
}

// The pixel at a point of the grid, along an axis of n pixels; padding from n on.
MRIRECON_HD int64_t pixel_at(int64_t point, int64_t n, int64_t n_points) {
  const int64_t pixel = point + n / 2;
  return pixel < n_points ? pixel : pixel - n_points;
}

MRIRECON_HD int64_t point_of(int64_t pixel, int64_t n, int64_t n_points) {
  const int64_t point = pixel - n / 2;
  return point < 0 ? point + n_points : point;
}

}  // namespace mrirecon
