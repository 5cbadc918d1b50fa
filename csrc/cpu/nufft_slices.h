// Between columns and samples: slices of the grid are made when samples near them come up, kept in
// a ring while they are needed, and forgotten. The oversampled grid never exists as a whole.
#pragma once

#include "../scratch.h"
#include "nufft_chunk.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// Sizes of a slice: a plane of a volume, or 8 / images rows of an image.
struct SliceLayout {
  int64_t n_slices, slab_slices;  // in all; in a slab
  int64_t halo;                   // slices after a slab into which its samples reach
  int64_t n_row_groups;           // in a slice
  int64_t group_halo;  // groups of rows after the last, which repeat the first, in a volume
  int64_t row_lanes;   // in a group: columns, and the taps' overhang

  template <class T>
  SliceLayout(const NufftPlan<T>& plan, int64_t rows) {
    const int64_t group_reach = (plan.width + 2 * rows - 2) / rows - 1;
    const bool is_volume = plan.is_volume();
    n_slices = is_volume ? plan.grid[0] : (plan.grid[1] + rows - 1) / rows;
    slab_slices = is_volume ? kSlabPlanes : kBandRows / rows;
    halo = is_volume ? plan.width - 1 : plan.n_axes > 1 ? group_reach : 0;
    n_row_groups = is_volume ? plan.grid[1] / rows : 1;
    group_halo = is_volume ? group_reach : 0;
    row_lanes = plan.grid[2] + plan.width - 1;
  }

  int64_t n_slabs() const { return (n_slices + slab_slices - 1) / slab_slices; }
  int64_t slab_begin(int64_t slab) const { return slab * slab_slices; }
  int64_t slab_end(int64_t slab) const { return std::min(n_slices, (slab + 1) * slab_slices); }
  int64_t slice_lanes() const { return (n_row_groups + group_halo) * row_lanes; }
  int64_t ring_slices() const { return slab_slices + halo; }
};

template <int images, class T>
class SlicePass {
 public:
  explicit SlicePass(const Chunk<T>& chunk)
      : chunk_(chunk),
        plan_(chunk.plan),
        layout_(chunk.plan, kRowsInLane),
        row_fft_(plan_, 2),
        middle_fft_(plan_, plan_.is_volume() ? 1 : 0),
        ring_(kBytes * layout_.ring_slices() * layout_.slice_lanes()),
        plane_(kBytes * (plan_.is_volume() ? n_col_groups() * plan_.grid[1] : 0)),
        buffer_(kBytes * std::max(plan_.grid[1], plan_.grid[2])) {
    with_constant(plan_.width, Widths<T>{}, [this](auto width) {
      interpolate_ = interpolate<images, width, T>;
      spread_ = spread<images, width, T>;
    });
  }

  // Interpolate the samples of the slabs [begin, end).
  void forward(int64_t begin, int64_t end) {
    base_ = layout_.slab_begin(begin);
    int64_t ready = base_;  // slices before this one were made
    for (int64_t slab = begin; slab < end; ++slab) {
      const int64_t needed = layout_.slab_end(slab) + layout_.halo;
      make(ready, needed);
      ready = needed;
      const Slices<T> slices = slices_from(layout_.slab_begin(slab), needed);
      interpolate_(plan_, slices, first_sample(slab), first_sample(slab + 1), chunk_.samples);
    }
  }

  // Spread all samples that reach into the slices of slabs [begin, end), and transform these. What
  // a slice gets, and in which order, does not depend on where a thread begins.
  void adjoint(int64_t begin, int64_t end) {
    base_ = layout_.slab_begin(begin);
    const int64_t last = layout_.slab_end(end - 1);
    int64_t cleared = base_;
    const auto clear_to = [&](int64_t slice) {
      for (; cleared < std::min(slice, last); ++cleared)
        std::memset(static_cast<void*>(slot(cleared)), 0, kBytes * layout_.slice_lanes());
    };
    clear_to(base_ + layout_.halo);
    spread_earlier(begin, last);
    for (int64_t slab = begin; slab < end; ++slab) {
      const int64_t first = layout_.slab_begin(slab),
                    reached = layout_.slab_end(slab) + layout_.halo;
      clear_to(reached);
      spread_(plan_, slices_from(first, reached), 0, last - first, first_sample(slab),
              first_sample(slab + 1), chunk_.samples);
      finish(first, layout_.slab_end(slab));
    }
  }

 private:
  static constexpr size_t kBytes = sizeof(Complex<T>) * kLanes;
  static constexpr int64_t kRowsInLane = kRows<images>;

  int64_t n_col_groups() const { return chunk_.n_col_blocks() * images; }
  int64_t first_sample(int64_t slab) const {
    const int64_t bins = plan_.n_bin_cols() * (plan_.is_volume() ? plan_.n_bands() : 1);
    return plan_.bins[std::min(slab * bins, plan_.n_bins())];
  }
  Complex<T>* slot(int64_t slice) const {
    const int64_t index = (slice - base_) % layout_.ring_slices();
    return lane_at(ring_.template as<Complex<T>>(), index * layout_.slice_lanes());
  }
  Complex<T>* row_group(int64_t slice, int64_t group) const {
    return lane_at(slot(slice), group * layout_.row_lanes);
  }
  Slices<T> slices_from(int64_t first, int64_t end) const {
    Slices<T> slices;
    for (int64_t i = std::max(first, base_); i < end; ++i) slices.memory[i - first] = slot(i);
    slices.row_stride = layout_.row_lanes * kLanes;
    slices.first = first;
    return slices;
  }

  // Columns [8 / images * col_group ...) from row 0 on, of the slice's plane.
  Complex<T>* column(int64_t col_group, int64_t slice) const {
    return lane_at(chunk_.columns, (col_group * chunk_.n_outer() + slice) * chunk_.n_middle());
  }
  Complex<T>* plane_column(int64_t col_group) const {
    return lane_at(plane_.template as<Complex<T>>(), col_group * plan_.grid[1]);
  }

  void make(int64_t begin, int64_t end) {
    if (plan_.is_volume()) {
      for (int64_t slice = begin; slice < end; ++slice) make_plane(slice);
      return;
    }
    for (int64_t g = 0; g < n_col_groups(); ++g)
      for (int64_t slice = begin; slice < end; ++slice) {
        const int64_t row = slice % layout_.n_slices * kRowsInLane;
        turn_to_rows<images>(column(g, row), std::min(kRowsInLane, chunk_.n_outer() - row),
                             lane_at(slot(slice), g * kRowsInLane));
      }
    for (int64_t slice = begin; slice < end; ++slice) transform_rows(slot(slice));
  }

  void make_plane(int64_t slice) {
    for (int64_t g = 0; g < n_col_groups(); ++g) {
      middle_fft_.pad(buffer(), column(g, slice % layout_.n_slices), plane_column(g), 1);
      for (int64_t group = 0; group < layout_.n_row_groups; ++group)
        turn_to_rows<images>(lane_at(plane_column(g), group * kRowsInLane), kRowsInLane,
                             lane_at(row_group(slice, group), g * kRowsInLane));
    }
    for (int64_t group = 0; group < layout_.n_row_groups; ++group)
      transform_rows(row_group(slice, group));
    for (int64_t group = 0; group < layout_.group_halo; ++group)
      std::memcpy(static_cast<void*>(row_group(slice, layout_.n_row_groups + group)),
                  row_group(slice, group), kBytes * layout_.row_lanes);
  }

  Complex<T>* buffer() const { return buffer_.template as<Complex<T>>(); }

  void transform_rows(Complex<T>* rows) const {
    row_fft_.pad(buffer(), rows, rows, 1);
    std::memcpy(static_cast<void*>(lane_at(rows, plan_.grid[2])), rows, kBytes * (plan_.width - 1));
  }

  void add_to(Complex<T>* target, const Complex<T>* overhang, int64_t n) const {
    for (int64_t i = 0; i < n; ++i)
      store_lanes(load_lanes<T>(lane_at(target, i)) + load_lanes(overhang + i * kLanes),
                  lane_at(target, i));
  }

  void transform_rows_back(Complex<T>* rows) const {
    add_to(rows, lane_at(rows, plan_.grid[2]), plan_.width - 1);
    row_fft_.crop(buffer(), rows, 1, rows, 1);
  }

  void finish(int64_t begin, int64_t end) {
    if (plan_.is_volume()) {
      for (int64_t slice = begin; slice < end; ++slice) finish_plane(slice);
      return;
    }
    for (int64_t slice = begin; slice < end; ++slice) transform_rows_back(slot(slice));
    for (int64_t g = 0; g < n_col_groups(); ++g)
      for (int64_t slice = begin; slice < end; ++slice) {
        const int64_t row = slice * kRowsInLane;
        turn_to_columns<images>(lane_at(slot(slice), g * kRowsInLane),
                                std::min(kRowsInLane, chunk_.n_outer() - row), column(g, row));
      }
  }

  void finish_plane(int64_t slice) {
    for (int64_t group = 0; group < layout_.group_halo; ++group)
      add_to(row_group(slice, group), row_group(slice, layout_.n_row_groups + group),
             layout_.row_lanes);
    for (int64_t group = 0; group < layout_.n_row_groups; ++group)
      transform_rows_back(row_group(slice, group));
    for (int64_t g = 0; g < n_col_groups(); ++g) {
      for (int64_t group = 0; group < layout_.n_row_groups; ++group)
        turn_to_columns<images>(lane_at(row_group(slice, group), g * kRowsInLane), kRowsInLane,
                                lane_at(plane_column(g), group * kRowsInLane));
      middle_fft_.crop(buffer(), plane_column(g), 1, column(g, slice), 1);
    }
  }

  // Samples of slabs before `begin` that reach into its slices, around the grid's end if need be.
  void spread_earlier(int64_t begin, int64_t last) {
    const int64_t n_slabs = layout_.n_slabs();
    int64_t n_earlier = 0, distance = 0;  // slabs before, and the slices in them
    for (; distance < layout_.halo; ++n_earlier) {
      const int64_t slab = ((begin - n_earlier - 1) % n_slabs + n_slabs) % n_slabs;
      distance += layout_.slab_end(slab) - layout_.slab_begin(slab);
    }
    for (; n_earlier > 0; --n_earlier) {
      const int64_t slab = ((begin - n_earlier) % n_slabs + n_slabs) % n_slabs;
      const int64_t size = layout_.slab_end(slab) - layout_.slab_begin(slab);
      Slices<T> slices = slices_from(base_ - distance, base_ - distance + size + layout_.halo);
      slices.first = layout_.slab_begin(slab);
      spread_(plan_, slices, distance, last - base_ + distance, first_sample(slab),
              first_sample(slab + 1), chunk_.samples);
      distance -= size;
    }
  }

  const Chunk<T>& chunk_;
  const NufftPlan<T>& plan_;
  SliceLayout layout_;
  AxisFft<T> row_fft_, middle_fft_;
  Scratch ring_, plane_, buffer_;
  decltype(&interpolate<images, 2, T>) interpolate_ = nullptr;
  decltype(&spread<images, 2, T>) spread_ = nullptr;
  int64_t base_ = 0;  // the slice in the ring's first place
};

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
