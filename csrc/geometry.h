// Sizes of k-space and of groups of images, and the view of a mask that is broadcast over it.
#pragma once

#include <cstdint>

#include "host_device.h"

namespace mrirecon {

// k-space or images, (batch, coils, rows, cols), contiguous.
struct Extent {
  int64_t batch, coils, rows, cols;

  MRIRECON_HD int64_t n_rows() const { return batch * coils * rows; }
};

// A sampling mask seen as (batch, rows, cols); the stride of a broadcast axis is 0.
struct MaskView {
  const bool* data;
  int64_t batch_stride, row_stride, col_stride;

  // The mask along row `row_index` of (batch, coils, rows); element c is at [c * col_stride].
  MRIRECON_HD const bool* row(const Extent& extent, int64_t row_index) const {
    const int64_t batch_index = row_index / (extent.coils * extent.rows);
    return data + batch_index * batch_stride + row_index % extent.rows * row_stride;
  }
};

// Images that share a trajectory, or weights, are a group: all of them, or those of one element of
// the batch.
struct GroupExtent {
  int64_t n_groups, group_size;

  MRIRECON_HD int64_t n_chunks(int64_t chunk) const { return (group_size + chunk - 1) / chunk; }
};

}  // namespace mrirecon
