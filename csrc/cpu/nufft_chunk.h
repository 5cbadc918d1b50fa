// A chunk: up to four images or coils that share a trajectory, transformed together.
#pragma once

#include "lane_fft.h"
#include "lane_shuffle.h"
#include "nufft_taps.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// A chunk with its working memory.
template <class T>
struct Chunk : NufftChunk<T> {
  const NufftWork<T>& work;
  Complex<T>* columns;  // (column blocks * images, outer, middle), lanes
  Complex<T>* samples;  // (samples, images), sorted

  Chunk(const NufftWork<T>& all, int64_t index, void* columns_memory, void* samples_memory)
      : NufftChunk<T>(all, index),
        work(all),
        columns(static_cast<Complex<T>*>(columns_memory)),
        samples(static_cast<Complex<T>*>(samples_memory)) {}

  // Where row `offset` of image i begins.
  int64_t image_offset(int64_t i, int64_t offset) const {
    const int64_t image =
        work.coil_maps ? this->group : this->group * work.group_size() + this->first + i;
    return image * this->plan.n_pixels() + offset;
  }
  const Complex<T>* map_row(int64_t i, int64_t offset) const {
    const int64_t set = work.maps_are_shared ? 0 : this->group;
    return work.coil_maps + (set * work.coils + this->first + i) * this->plan.n_pixels() + offset;
  }
  int64_t kspace_offset(int64_t i) const {
    return (this->group * work.group_size() + this->first + i) * this->plan.n_samples;
  }
  const T* transfer() const {
    const int64_t* grid = this->plan.grid;
    const int64_t size = grid[0] * ((grid[1] + 7) / 8) * grid[2] * 8;
    return work.transfer + (work.transfer_batch > 1 ? this->group * size : 0);
  }
};

// Where a padded axis has its image: index r stands at grid point (r - n / 2) mod n_grid.
struct Axis {
  int64_t n, n_grid;

  MRIRECON_HD int64_t image_index(int64_t point) const {  // -1 outside the image
    if (point < n - n / 2) return point + n / 2;
    return point >= n_grid - n / 2 ? point - n_grid + n / 2 : -1;
  }
};

// Transforms of eight rows at once along an axis, with zero padding, and the adjoint with cropping.
template <class T>
class AxisFft {
 public:
  AxisFft(const NufftPlan<T>& plan, int axis)
      : axis_{plan.shape[axis], plan.grid[axis]}, fft_(plan.grid[axis], plan.axis_roots(axis)) {}

  int64_t n_image() const { return axis_.n; }
  int64_t n_grid() const { return axis_.n_grid; }

  // from: (image size,) -> to: (grid size, with a stride), in lanes; they may be the same memory.
  [[gnu::noinline]] void pad(Complex<T>* buffer, Complex<T>* from, Complex<T>* to,
                             int64_t stride) const {
    fft_.run(
        buffer,
        [&](int64_t point) {
          const int64_t r = axis_.image_index(point);
          return r < 0 ? zero_lanes<T>() : load_lanes<T>(lane_at(from, r));
        },
        [&](int64_t k, const Lanes<T>& x) { store_lanes(x, lane_at(to, k * stride)); });
  }

  // from: (grid size, with a stride) -> to: (image size, with a stride). The adjoint of `pad`.
  [[gnu::noinline]] void crop(Complex<T>* buffer, Complex<T>* from, int64_t from_stride,
                              Complex<T>* to, int64_t to_stride) const {
    fft_.run(
        buffer, [&](int64_t k) { return load_lanes<T>(lane_at(from, k * from_stride)); },
        [&](int64_t k, const Lanes<T>& x) {  // the inverse transform has it at -k
          const int64_t r = axis_.image_index(k == 0 ? 0 : axis_.n_grid - k);
          if (r >= 0) store_lanes(x, lane_at(to, r * to_stride));
        });
  }

 private:
  Axis axis_;
  LaneFft<T> fft_;
};

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
