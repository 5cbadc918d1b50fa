// The functions of CUDA that a kernel calls: barriers, warp operations, atomics, shared memory.
#pragma once

#include <cstring>
#include <type_traits>

#include "emulator/block.h"
#include "emulator/types.h"

// A default argument is evaluated where the barrier is called, so `site` is the place in the
// kernel.
inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  mrirecon::emulator::Block::current().wait_for_block({file, line});
}

inline void __syncwarp(unsigned lanes = 0xffffffffu) {
  mrirecon::emulator::Collective collective;
  collective.lanes = lanes;
  mrirecon::emulator::Block::current().wait_for_lanes(collective);
}

namespace mrirecon::emulator {

template <class T>
T shuffle(unsigned lanes, T value, unsigned source) {
  static_assert(sizeof(T) <= Collective::kMaxBytes && std::is_trivially_copyable_v<T>);
  Collective collective;
  collective.kind = Collective::Kind::shuffle;
  collective.lanes = lanes;
  collective.source = source;
  std::memcpy(collective.value, &value, sizeof(T));
  Block::current().wait_for_lanes(collective);
  std::memcpy(&value, collective.result, sizeof(T));
  return value;
}

inline unsigned current_lane() { return Block::current().lane(); }

}  // namespace mrirecon::emulator

// `width` splits the warp into equal parts, a power of two wide; a lane outside its part reads
// its own value.
template <class T>
T __shfl_sync(unsigned lanes, T value, int source, int width = warpSize) {
  const unsigned part = mrirecon::emulator::current_lane() & ~(width - 1u);
  return mrirecon::emulator::shuffle(lanes, value, part | (source & (width - 1u)));
}
template <class T>
T __shfl_up_sync(unsigned lanes, T value, unsigned delta, int width = warpSize) {
  const unsigned lane = mrirecon::emulator::current_lane();
  const bool is_inside = (lane & (width - 1u)) >= delta;
  return mrirecon::emulator::shuffle(lanes, value, is_inside ? lane - delta : lane);
}
template <class T>
T __shfl_down_sync(unsigned lanes, T value, unsigned delta, int width = warpSize) {
  const unsigned lane = mrirecon::emulator::current_lane();
  const bool is_inside = (lane & (width - 1u)) + delta < static_cast<unsigned>(width);
  return mrirecon::emulator::shuffle(lanes, value, is_inside ? lane + delta : lane);
}
template <class T>
T __shfl_xor_sync(unsigned lanes, T value, int lane_mask, int width = warpSize) {
  const unsigned lane = mrirecon::emulator::current_lane(), source = lane ^ lane_mask;
  // Lower parts may be read, higher ones not.
  return mrirecon::emulator::shuffle(lanes, value, source / width > lane / width ? lane : source);
}

inline unsigned __ballot_sync(unsigned lanes, int predicate) {
  mrirecon::emulator::Collective collective;
  collective.kind = mrirecon::emulator::Collective::Kind::ballot;
  collective.lanes = lanes;
  collective.value[0] = predicate != 0;
  mrirecon::emulator::Block::current().wait_for_lanes(collective);
  unsigned votes;
  std::memcpy(&votes, collective.result, sizeof(votes));
  return votes;
}
inline int __any_sync(unsigned lanes, int predicate) {
  return __ballot_sync(lanes, predicate) != 0;
}
inline int __all_sync(unsigned lanes, int predicate) {
  return __ballot_sync(lanes, !predicate) == 0;
}

// Atomic among blocks as well, which may run on several OS threads.
template <class T>
T atomicAdd(T* address, T value) {
  T before, after;
  __atomic_load(address, &before, __ATOMIC_RELAXED);
  do {
    after = before + value;
  } while (!__atomic_compare_exchange(address, &before, &after, true, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED));
  return before;
}

template <class T>
T __ldg(const T* address) {
  return *address;
}

inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __ffs(int bits) { return __builtin_ffs(bits); }
