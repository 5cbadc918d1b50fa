// Between images and columns: apodisation, coil maps, and the transform along the outer axis (of
// the depth of a volume, of the rows of an image), for the image's own columns alone.
#pragma once

#include "../scratch.h"
#include "lane_shuffle.h"
#include "nufft_chunk.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// Rows whose eight columns are asked for before they are needed: a step from row to row is too long
// for the processor to foresee.
constexpr int64_t kRowsAhead = 8;

// Eight columns of a row, or those that there are.
template <class T>
struct ColBlock {
  int64_t first, count;
  Lanes<T> weights;  // apodisation along the columns

  MRIRECON_HD ColBlock(const NufftPlan<T>& plan, int64_t block)
      : first(block * kLanes), count(std::min<int64_t>(kLanes, plan.shape[2] - first)) {
    T reals[kLanes] = {};
    std::copy_n(plan.axis_apodisation(2) + first, count, reals);
    weights = spread_over_images<1>(reals);
  }

  MRIRECON_HD Lanes<T> load(const Complex<T>* row) const { return load_lanes(row + first, count); }

  MRIRECON_HD void store(const Lanes<T>& x, Complex<T>* row) const {
    store_lanes(x, row + first, count);
  }
};

template <int images, class T>
class ColumnPass {
 public:
  explicit ColumnPass(const Chunk<T>& chunk)
      : chunk_(chunk),
        n_middle_(chunk.n_middle()),
        fft_(chunk.plan, chunk.plan.is_volume() ? 0 : 1),
        buffer_(sizeof(Complex<T>) * kLanes * fft_.n_grid()),
        ordered_(sizeof(Complex<T>) * kLanes * fft_.n_grid()),
        staging_(sizeof(Complex<T>) * kLanes * images * fft_.n_image()) {}

  void forward(int64_t task) const {
    const int64_t middle = task % n_middle_, block = task / n_middle_;
    const ColBlock<T> cols(chunk_.plan, block);
    for (int64_t outer = 0; outer < fft_.n_image(); ++outer) {
      Lanes<T> x[images];
      read(cols, outer, middle, x);
      gather_images<images>(x);
      for (int j = 0; j < images; ++j) store_lanes(x[j], staged(j, outer));
    }
    for (int j = 0; j < images; ++j) {
      // Written in order, since a column is far from the caches and the transform's order is not.
      fft_.pad(buffer_.as<Complex<T>>(), staged(j, 0), ordered_.as<Complex<T>>(), 1);
      Complex<T>* const target = column(block, j, middle);
      for (int64_t k = 0; k < fft_.n_grid(); ++k)
        store_lanes(load_lanes<T>(lane_at(ordered_.as<Complex<T>>(), k)),
                    lane_at(target, k * n_middle_));
    }
  }

  // The adjoint. With coil maps the image is a sum over the group's chunks, of which this is one.
  void adjoint(int64_t task) const {
    const int64_t middle = task % n_middle_, block = task / n_middle_;
    const ColBlock<T> cols(chunk_.plan, block);
    for (int j = 0; j < images; ++j)
      fft_.crop(buffer_.as<Complex<T>>(), column(block, j, middle), n_middle_, staged(j, 0), 1);
    for (int64_t outer = 0; outer < fft_.n_image(); ++outer) {
      Lanes<T> x[images];
      for (int j = 0; j < images; ++j) x[j] = load_lanes(staged(j, outer));
      scatter_images<images>(x);
      write(cols, outer, middle, x);
    }
  }

 private:
  Complex<T>* staged(int64_t j, int64_t outer) const {
    return lane_at(staging_.as<Complex<T>>(), j * fft_.n_image() + outer);
  }
  Complex<T>* column(int64_t block, int64_t j, int64_t middle) const {
    return lane_at(chunk_.columns, ((block * images + j) * fft_.n_grid()) * n_middle_ + middle);
  }
  int64_t row_offset(int64_t outer, int64_t middle) const {
    return (outer * n_middle_ + middle) * chunk_.plan.shape[2];
  }
  T row_weight(int64_t outer, int64_t middle) const {
    const NufftPlan<T>& plan = chunk_.plan;
    if (!plan.is_volume()) return plan.axis_apodisation(1)[outer];
    return plan.axis_apodisation(0)[outer] * plan.axis_apodisation(1)[middle];
  }
  void read(const ColBlock<T>& cols, int64_t outer, int64_t middle, Lanes<T> (&x)[images]) const {
    const int64_t offset = row_offset(outer, middle);
    const Lanes<T> weights = row_weight(outer, middle) * cols.weights;
    for (int i = 0; i < images; ++i) {
      if (i >= chunk_.count) {
        x[i] = zero_lanes<T>();
        continue;
      }
      const Complex<T>* row = chunk_.work.image + chunk_.image_offset(i, offset);
      __builtin_prefetch(row + cols.first + kRowsAhead * chunk_.plan.shape[2]);
      x[i] = cols.load(row) * weights;
      if (chunk_.work.coil_maps) x[i] = multiply<false>(x[i], cols.load(chunk_.map_row(i, offset)));
    }
  }

  void write(const ColBlock<T>& cols, int64_t outer, int64_t middle, Lanes<T> (&x)[images]) const {
    const int64_t offset = row_offset(outer, middle);
    const Lanes<T> weights = row_weight(outer, middle) * cols.weights;
    if (!chunk_.work.coil_maps) {
      for (int i = 0; i < chunk_.count; ++i)
        cols.store(x[i] * weights, chunk_.work.image_out + chunk_.image_offset(i, offset));
      return;
    }
    Complex<T>* row = chunk_.work.image_out + chunk_.image_offset(0, offset);
    Lanes<T> sum = zero_lanes<T>();
    for (int i = 0; i < chunk_.count; ++i)
      sum = sum + multiply<true>(x[i], cols.load(chunk_.map_row(i, offset)));
    sum = sum * weights;
    cols.store(chunk_.first == 0 ? sum : cols.load(row) + sum, row);
  }

  const Chunk<T>& chunk_;
  int64_t n_middle_;
  AxisFft<T> fft_;
  Scratch buffer_, ordered_, staging_;
};

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
