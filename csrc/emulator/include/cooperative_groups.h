// The emulator's twin of CUDA's header of this name: the block, and tiles of a warp.
#pragma once

#include <stdexcept>
#include <string>

#include "emulator/cuda.h"

namespace cooperative_groups {

class thread_block {
 public:
  void sync(const char* file = __builtin_FILE(), int line = __builtin_LINE()) const {
    __syncthreads(file, line);
  }
  unsigned thread_rank() const {
    return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  }
  unsigned num_threads() const { return blockDim.x * blockDim.y * blockDim.z; }
  unsigned size() const { return num_threads(); }
  uint3 thread_index() const { return threadIdx; }
  uint3 group_index() const { return blockIdx; }
  dim3 dim_threads() const { return blockDim; }
};

inline thread_block this_thread_block() { return {}; }

// `size_` neighbouring lanes of a warp.
template <unsigned size_>
class thread_block_tile {
  static_assert(size_ >= 1 && size_ <= warpSize && (size_ & (size_ - 1)) == 0,
                "tile: a power of two up to 32");

 public:
  static constexpr unsigned num_threads() { return size_; }
  static constexpr unsigned size() { return size_; }
  unsigned thread_rank() const { return this_thread_block().thread_rank() % size_; }
  unsigned meta_group_rank() const { return this_thread_block().thread_rank() / size_; }
  unsigned meta_group_size() const { return this_thread_block().num_threads() / size_; }

  void sync() const { __syncwarp(lanes()); }
  int any(int predicate) const { return __any_sync(lanes(), predicate); }
  int all(int predicate) const { return __all_sync(lanes(), predicate); }
  unsigned ballot(int predicate) const {  // bit i: the tile's thread i
    return __ballot_sync(lanes(), predicate) >> first_lane();
  }

  template <class T>
  T shfl(T value, unsigned source) const {
    return read(value, source % size_);
  }
  template <class T>
  T shfl_up(T value, unsigned delta) const {
    return read(value, thread_rank() >= delta ? thread_rank() - delta : thread_rank());
  }
  template <class T>
  T shfl_down(T value, unsigned delta) const {
    return read(value, thread_rank() + delta < size_ ? thread_rank() + delta : thread_rank());
  }
  template <class T>
  T shfl_xor(T value, unsigned mask) const {
    const unsigned source = thread_rank() ^ mask;
    return read(value, source < size_ ? source : thread_rank());
  }

 private:
  static unsigned first_lane() { return mrirecon::emulator::current_lane() / size_ * size_; }
  static unsigned lanes() { return (0xffffffffu >> (warpSize - size_)) << first_lane(); }

  template <class T>
  static T read(T value, unsigned rank) {
    return mrirecon::emulator::shuffle(lanes(), value, first_lane() + rank);
  }
};

// Throws: std::runtime_error where the block is not a whole number of tiles, as CUDA requires.
template <unsigned size>
thread_block_tile<size> tiled_partition(const thread_block& block) {
  if (block.num_threads() % size != 0)
    throw std::runtime_error("tiled_partition: expected a block of whole tiles of " +
                             std::to_string(size) + " threads, got " +
                             std::to_string(block.num_threads()));
  return {};
}

}  // namespace cooperative_groups
