// Between the grid of a non-uniform Fourier transform (nufft.h) and its samples, on a GPU, where
// the fast transform is a library's. On the CPU the whole is one pass. Batch and coils are in one
// launch.
#pragma once

#include "geometry.h"
#include "nufft.h"

namespace mrirecon {

// kspace(m) = sum over the taps of sample m of weight grid
template <class T>
struct Interpolate {
  const Complex<T>* grid;  // (n_groups, group_size, *grid)
  Complex<T>* kspace;      // (n_groups, group_size, n_samples)
  NufftPlan<T> plan;
  GroupExtent extent;

  int64_t n_items() const { return extent.n_groups * plan.n_samples; }
  int64_t item_size() const { return extent.group_size; }
};

// The adjoint of Interpolate: grid(g) = sum over the samples that reach g of weight kspace. Samples
// are first put in the plan's order, in which a tile of the grid finds those that reach it.
template <class T>
struct Spread {
  const Complex<T>* kspace;  // (n_groups, group_size, n_samples)
  Complex<T>* sorted;        // (n_groups, n_samples, group_size), working memory
  Complex<T>* grid;          // (n_groups, group_size, *grid)
  NufftPlan<T> plan;
  GroupExtent extent;

  int64_t n_items() const { return extent.n_groups * extent.group_size; }
  int64_t item_size() const { return plan.grid[0] * plan.grid[1] * plan.grid[2]; }
};

// The weight of a tap, by Horner's rule. The CPU's kernels evaluate 16 taps at a time in registers
// (cpu/nufft_taps.h), which this, called 16 times, would not become.
template <class T>
MRIRECON_HD T tap_weight(const NufftPlan<T>& plan, int tap, T offset) {
  T sum = plan.taps[tap];
  for (int power = 1; power <= tap_degree(static_cast<int>(plan.width)); ++power)
    sum = sum * offset + plan.taps[power * kMaxWidth + tap];
  return sum;
}

// Of an axis that the transform lacks: one tap, of weight 1, at the only grid point.
template <class T>
MRIRECON_HD bool has_axis(const NufftPlan<T>& plan, int axis) {
  return axis >= 3 - plan.n_axes;
}
template <class T>
MRIRECON_HD int n_points(const NufftPlan<T>& plan, int axis) {
  return static_cast<int>(plan.grid[axis]);
}
template <class T>
MRIRECON_HD int n_taps(const NufftPlan<T>& plan, int axis) {
  return has_axis(plan, axis) ? static_cast<int>(plan.width) : 1;
}
template <class T>
MRIRECON_HD int first_tap(const NufftPlan<T>& plan, int64_t place, int axis) {
  return has_axis(plan, axis) ? plan.starts[place * plan.n_axes + axis - 3 + plan.n_axes] : 0;
}
template <class T>
MRIRECON_HD T weight_of(const NufftPlan<T>& plan, int64_t place, int axis, int tap) {
  if (!has_axis(plan, axis)) return tap == 0;
  return tap_weight(plan, tap, plan.offsets[place * plan.n_axes + axis - 3 + plan.n_axes]);
}

// A point less than a period past the grid's end, on the grid.
MRIRECON_HD int wrapped(int point, int n_points) {
  return point < n_points ? point : point - n_points;
}

// Points from `from` on to `to`, around the grid's end if need be.
MRIRECON_HD int distance(int from, int to, int n_points) {
  return to < from ? to - from + n_points : to - from;
}

// The bins along an axis whose samples may reach one of `size` points from `low` on: `count` bins
// from `first` on, around the grid's end if need be, each once.
struct NearBins {
  int first, count, n_bins;

  MRIRECON_HD NearBins(int low, int size, int bin, int n_points, int taps)
      : n_bins((n_points + bin - 1) / bin) {
    const int lowest = low - (taps - 1), highest = low + size - 1;
    const int last = highest < n_points ? highest / bin : n_bins - 1;
    first = (lowest < 0 ? lowest + n_points : lowest) / bin;
    count = last - first + 1 + (lowest < 0 ? n_bins : 0);
    if (count > n_bins) count = n_bins;
  }
  MRIRECON_HD int at(int i) const { return wrapped(first + i, n_bins); }

  // As two ranges: up to the grid's end, and from its start on.
  MRIRECON_HD int begin(bool is_around) const { return is_around ? 0 : first; }
  MRIRECON_HD int end(bool is_around) const {
    const int end = first + count;
    if (is_around) return end > n_bins ? end - n_bins : 0;
    return end < n_bins ? end : n_bins;
  }
};

}  // namespace mrirecon
