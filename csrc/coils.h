// Images as the receive coils see them: coil image = coil map * image. Combining is the adjoint,
// and the maps' gradient the third derivative of Re sum conj(coil images) coil_maps image. So each
// operator's gradients are the other two operators, and those of the gradients again.
#pragma once

#include <cstdint>

#include "host_device.h"

namespace mrirecon {

// The CPU's unit of work: these pixels of all coils of one group, so that what is shared is read
// from memory once. 1024 of complex64 are 8 kB, few enough for the group's images to stay in cache.
constexpr int64_t kCoilTile = 1024;

// Batch elements come in groups that share their maps: one group of all, or groups of one.
struct CoilExtent {
  int64_t n_groups, group_size;  // batch = n_groups * group_size
  int64_t coils, pixels;         // pixels: all spatial axes

  MRIRECON_HD int64_t n_tiles() const { return (pixels + kCoilTile - 1) / kCoilTile; }

  // An empty sum, over no coils or no batch, is work too: zeros.
  int64_t n_items() const { return n_groups * n_tiles(); }
  int64_t item_size() const { return kCoilTile * (1 + group_size * coils); }
};

// out = coil_maps image
template <class T>
struct ExpandCoils {
  const Complex<T>* image;      // (batch, 1, pixels)
  const Complex<T>* coil_maps;  // (n_groups, coils, pixels)
  Complex<T>* out;              // (batch, coils, pixels)
  CoilExtent extent;

  int64_t n_items() const { return extent.n_items(); }
  int64_t item_size() const { return extent.item_size(); }
};

// out = sum over coils of conj(coil_maps) coil_images
template <class T>
struct CombineCoils {
  const Complex<T>* coil_images;  // (batch, coils, pixels)
  const Complex<T>* coil_maps;    // (n_groups, coils, pixels)
  Complex<T>* out;                // (batch, 1, pixels)
  CoilExtent extent;

  int64_t n_items() const { return extent.n_items(); }
  int64_t item_size() const { return extent.item_size(); }
};

// out = sum over the group of conj(image) coil_images
template <class T>
struct GradCoilMaps {
  const Complex<T>* image;        // (batch, 1, pixels)
  const Complex<T>* coil_images;  // (batch, coils, pixels)
  Complex<T>* out;                // (n_groups, coils, pixels)
  CoilExtent extent;

  int64_t n_items() const { return extent.n_items(); }
  int64_t item_size() const { return extent.item_size(); }
};

template <class T>
MRIRECON_HD Complex<T> product(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// sum + conj(a) b
template <class T>
MRIRECON_HD Complex<T> add_conjugate_product(Complex<T> sum, Complex<T> a, Complex<T> b) {
  return {sum.re + (a.re * b.re + a.im * b.im), sum.im + (a.re * b.im - a.im * b.re)};
}

}  // namespace mrirecon
