// How the images of a group are shared by blocks: each handles a few, for one part of what the
// group has in common, its samples, points or weights.
#pragma once

#include "../geometry.h"
#include "../portable.h"

namespace mrirecon {

// The chunk of a group's images that a block handles. Chunks of the same part are neighbours, so
// that what they have in common comes from memory once.
struct ImageChunk {
  int64_t group, part;
  int64_t first;  // image of the group
  int count;

  __device__ ImageChunk(const GroupExtent& extent, int64_t n_parts, int64_t chunk) {
    const unsigned n_chunks = static_cast<unsigned>(extent.n_chunks(chunk));
    const unsigned shared_by = static_cast<unsigned>(n_parts);
    first = blockIdx.x % n_chunks * chunk;
    count = extent.group_size - first < chunk ? extent.group_size - first : chunk;
    part = blockIdx.x / n_chunks % shared_by;
    group = blockIdx.x / n_chunks / shared_by;
  }
};

inline dim3 blocks_of(const GroupExtent& extent, int64_t n_parts, int64_t chunk) {
  return dim3(static_cast<unsigned>(extent.n_groups * n_parts * extent.n_chunks(chunk)));
}

}  // namespace mrirecon
