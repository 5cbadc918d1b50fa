// The grid of a transform times real weights: with the transforms before and after it a
// convolution, such as A* D A of a NUFFT (Fessler et al. 2005, DOI 10.1109/TSP.2005.853152).
#pragma once

#include "geometry.h"

namespace mrirecon {

constexpr int kTransferRows = 8;  // rows whose weights stand next to each other, as lanes do

// points = transfer points, in place: a second grid would be the largest of a reconstruction.
template <class T>
struct ApplyTransfer {
  Complex<T>* points;  // (n_groups, group_size, depth, rows, cols)
  const T* transfer;   // (n_groups, depth, rows / 8, cols, 8)
  GroupExtent extent;
  int64_t depth, rows, cols;  // cols is even, so that two points of complex64 are one access

  MRIRECON_HD int64_t n_bands() const { return (rows + kTransferRows - 1) / kTransferRows; }
  MRIRECON_HD int64_t n_points() const { return depth * rows * cols; }

  int64_t n_items() const { return extent.n_groups * extent.group_size; }
  int64_t item_size() const { return n_points(); }
};

}  // namespace mrirecon
