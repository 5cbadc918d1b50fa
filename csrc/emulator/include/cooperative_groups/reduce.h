// The emulator's twin of CUDA's header of this name: a value of each thread of a tile, combined.
#pragma once

#include <cooperative_groups.h>

namespace cooperative_groups {

template <class T>
struct plus {
  T operator()(T a, T b) const { return a + b; }
};
template <class T>
struct less {
  T operator()(T a, T b) const { return b < a ? b : a; }
};
template <class T>
struct greater {
  T operator()(T a, T b) const { return a < b ? b : a; }
};

// The result in every thread. CUDA does not say in which order it combines.
template <unsigned size, class T, class Combine>
T reduce(const thread_block_tile<size>& tile, T value, const Combine& combine) {
  for (unsigned distance = size / 2; distance > 0; distance /= 2)
    value = combine(value, tile.shfl_xor(value, distance));
  return value;
}

}  // namespace cooperative_groups
