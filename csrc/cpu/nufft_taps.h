// Between samples and the grid: sums over the grid points near a sample, and the transpose of it.
#pragma once

#include <algorithm>
#include <type_traits>

#include "../nufft.h"
#include "lane_rows.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// Widths that kernels are compiled for (mrirecon/nufft/plan.py): in double precision every second,
// which is enough where speed is not the first concern.
template <class T>
using Widths = std::conditional_t<std::is_same_v<T, float>,
                                  std::integer_sequence<int, 2, 3, 4, 5, 6, 7, 8, 9, 10>,
                                  std::integer_sequence<int, 2, 4, 6, 8, 10, 12, 14, 16>>;

// A slice is a plane of a volume, or 8 / images rows of an image. A point of it is eight lanes.
template <class T>
struct Slices {
  // Slices from the first one of a slab on, those into which its samples' taps reach.
  static constexpr int kMost = kBandRows + kMaxWidth - 1;
  Complex<T>* memory[kMost];
  int64_t row_stride;  // complex numbers between a group of rows and the next
  int64_t first;       // the slab's first slice

  MRIRECON_HD Complex<T>* at(int64_t slice, int64_t row_group, int64_t col) const {
    return memory[slice] + row_group * row_stride + col * kLanes;
  }
};

// The taps of one sample. The rows' weights stand between zeros, so that they can be read from any
// row on.
template <class T>
struct Weights {
  T depth[kMaxWidth], cols[kMaxWidth];
  T rows[kLanes + kMaxWidth + kLanes];
};

// The taps of two axes, of up to eight taps each, or of one: 16 polynomials at once by Horner's
// rule. The plan has the coefficients twice where one axis has up to eight.
template <int width, class T>
MRIRECON_HD Lanes<T> evaluate(const NufftPlan<T>& plan, const Lanes<T>& offsets) {
  const auto coefficients = [&](int power) {
    return load_lanes(reinterpret_cast<const Complex<T>*>(plan.taps + power * kMaxWidth));
  };
  constexpr int kDegree = tap_degree(width);
  Lanes<T> sum = coefficients(0);
#pragma GCC unroll 16
  for (int power = 1; power <= kDegree; ++power)
    sum = add_weighted(coefficients(power), sum, offsets);
  return sum;
}

// With up to eight taps the two axes share the lanes; else `first` comes to nothing.
template <int width, class T>
MRIRECON_HD void evaluate_pair(const NufftPlan<T>& plan, T first, T second, T* first_out,
                               T* second_out) {
  constexpr int kHalf = kMaxWidth / 2;
  alignas(64) T out[kMaxWidth];
  auto* const pairs = reinterpret_cast<Complex<T>*>(out);
  if constexpr (width <= kHalf) {
    store_lanes(evaluate<width>(plan, two_halves(first, second)), pairs);
    std::memcpy(first_out, out, kHalf * sizeof(T));
    std::memcpy(second_out, out + kHalf, kHalf * sizeof(T));
  } else {
    store_lanes(evaluate<width>(plan, two_halves(first, first)), pairs);
    std::memcpy(first_out, out, sizeof out);
    store_lanes(evaluate<width>(plan, two_halves(second, second)), pairs);
    std::memcpy(second_out, out, sizeof out);
  }
}

template <int width, class T>
MRIRECON_HD void evaluate(const NufftPlan<T>& plan, int64_t sample, Weights<T>& weights) {
  const T* offset = plan.offsets + sample * plan.n_axes;
  T unused[kMaxWidth];
  if (plan.n_axes == 3) {
    evaluate_pair<width>(plan, offset[1], offset[2], weights.rows + kLanes, weights.cols);
    evaluate_pair<width>(plan, offset[0], offset[0], weights.depth, unused);
  } else if (plan.n_axes == 2) {
    evaluate_pair<width>(plan, offset[0], offset[1], weights.rows + kLanes, weights.cols);
  } else {
    evaluate_pair<width>(plan, offset[0], offset[0], weights.cols, unused);
  }
}

// Where a sample's taps begin, and how many slices and groups of rows they touch.
template <int images, int width, class T>
struct Footprint {
  static constexpr int kRowGroups = (width + 2 * kRows<images> - 2) / kRows<images>;
  int64_t slice, row_group, shift, col;

  MRIRECON_HD Footprint(const NufftPlan<T>& plan, int64_t sample, int64_t first_slice) {
    const int32_t* start = plan.starts + sample * plan.n_axes;
    const bool is_volume = plan.is_volume();
    const uint32_t row = plan.n_axes > 1 ? static_cast<uint32_t>(start[plan.n_axes - 2]) : 0;
    const uint32_t group = row / kRows<images>;
    shift = row % kRows<images>;
    col = start[plan.n_axes - 1];
    slice = (is_volume ? start[0] : group) - first_slice;
    row_group = is_volume ? group : 0;
  }
};

// The slices and groups of rows of every footprint, and which rows' weights each begins with.
template <int images, int width>
struct Reach {
  int n_slices, n_row_groups, slice_rows, group_rows;

  template <class T>
  MRIRECON_HD explicit Reach(const NufftPlan<T>& plan) {
    constexpr int kRowGroups = (width + 2 * kRows<images> - 2) / kRows<images>;
    const bool is_volume = plan.is_volume();
    n_slices = is_volume ? width : plan.n_axes > 1 ? kRowGroups : 1;
    n_row_groups = is_volume ? kRowGroups : 1;
    slice_rows = is_volume ? 0 : kRows<images>;
    group_rows = kRows<images>;
  }
};

// What a run over samples evaluates before it uses it: a store and a load of it would wait for each
// other.
constexpr int kSampleBlock = 16;

template <int width, class T, class Use>
MRIRECON_HD void for_each_sample(const NufftPlan<T>& plan, int64_t begin, int64_t end,
                                 const Use& use) {
  alignas(64) Weights<T> weights[kSampleBlock] = {};
  for (Weights<T>& one : weights) {  // of the axes that are not there
    if (plan.n_axes < 3) std::fill_n(one.depth, kMaxWidth, T(1));
    if (plan.n_axes < 2) one.rows[kLanes] = 1;
  }
  for (int64_t first = begin; first < end; first += kSampleBlock) {
    const int n = static_cast<int>(std::min<int64_t>(kSampleBlock, end - first));
    for (int i = 0; i < n; ++i) evaluate<width>(plan, first + i, weights[i]);
    for (int i = 0; i < n; ++i) use(first + i, weights[i]);
  }
}

// out: (samples, images), sorted.
template <int images, int width, class T>
void interpolate(const NufftPlan<T>& plan, const Slices<T>& slices, int64_t begin, int64_t end,
                 Complex<T>* out) {
  const Reach<images, width> reach(plan);
  for_each_sample<width>(plan, begin, end, [&](int64_t sample, const Weights<T>& weights) {
    const Footprint<images, width, T> at(plan, sample, slices.first);
    const T* row_weights = weights.rows + kLanes - at.shift;
    Lanes<T> sum = zero_lanes<T>();
    for (int i = 0; i < reach.n_slices; ++i)
      for (int j = 0; j < reach.n_row_groups; ++j) {
        const Complex<T>* row = slices.at(at.slice + i, at.row_group + j, at.col);
        const T* lane_weights = row_weights + i * reach.slice_rows + j * reach.group_rows;
        Lanes<T> along = weights.cols[0] * load_lanes(row);
#pragma GCC unroll 16
        for (int c = 1; c < width; ++c)
          along = add_scaled(along, weights.cols[c], load_lanes(row + c * kLanes));
        sum = add_weighted(sum, weights.depth[i] * spread_over_images<images>(lane_weights), along);
      }
    sum_over_rows<images>(sum, out + sample * images);
  });
}

// Add to the slices [low, high) counted from the slab's first. The transpose of `interpolate`.
template <int images, int width, class T>
void spread(const NufftPlan<T>& plan, const Slices<T>& slices, int64_t low, int64_t high,
            int64_t begin, int64_t end, const Complex<T>* samples) {
  const Reach<images, width> reach(plan);
  for_each_sample<width>(plan, begin, end, [&](int64_t sample, const Weights<T>& weights) {
    const Footprint<images, width, T> at(plan, sample, slices.first);
    const T* row_weights = weights.rows + kLanes - at.shift;
    const Lanes<T> value = spread_over_rows<images>(samples + sample * images);
    const int first = static_cast<int>(std::max<int64_t>(0, low - at.slice));
    const int last = static_cast<int>(std::min<int64_t>(reach.n_slices, high - at.slice));
    for (int i = first; i < last; ++i)
      for (int j = 0; j < reach.n_row_groups; ++j) {
        Complex<T>* row = slices.at(at.slice + i, at.row_group + j, at.col);
        const T* lane_weights = row_weights + i * reach.slice_rows + j * reach.group_rows;
        const Lanes<T> weighted =
            weights.depth[i] * spread_over_images<images>(lane_weights) * value;
#pragma GCC unroll 16
        for (int c = 0; c < width; ++c)
          store_lanes(add_scaled(load_lanes(row + c * kLanes), weights.cols[c], weighted),
                      row + c * kLanes);
      }
  });
}

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
