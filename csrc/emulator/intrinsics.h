// The functions of CUDA that a kernel calls: barriers, votes, warp operations, counting of bits.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>

#include "emulator/block.h"
#include "emulator/types.h"

// A default argument is evaluated where the barrier is called, so `site` is the place in the
// kernel.
inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  mrirecon::emulator::Block::current().wait_for_block({file, line});
}

// The same with a vote: how many threads of the block have a predicate that is not 0, do all, any.
inline int __syncthreads_count(int predicate, const char* file = __builtin_FILE(),
                               int line = __builtin_LINE()) {
  return mrirecon::emulator::Block::current().wait_for_block({file, line}, predicate != 0);
}
inline int __syncthreads_and(int predicate, const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
  return __syncthreads_count(!predicate, file, line) == 0;
}
inline int __syncthreads_or(int predicate, const char* file = __builtin_FILE(),
                            int line = __builtin_LINE()) {
  return __syncthreads_count(predicate, file, line) != 0;
}

inline void __syncwarp(unsigned lanes = 0xffffffffu) {
  mrirecon::emulator::Collective collective;
  collective.lanes = lanes;
  mrirecon::emulator::Block::current().wait_for_lanes(collective);
}

namespace mrirecon::emulator {

// What CUDA's own shuffles take; a group of cooperative_groups.h shuffles more.
template <class T>
constexpr bool is_shuffled =
    is_one_of<T, int, unsigned, long, unsigned long, long long, unsigned long long, float, double>;

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

// The lanes below the first of a part `width` wide. Throws: std::runtime_error.
inline unsigned check_width(int width) {
  if (width < 1 || width > warpSize || (width & (width - 1)) != 0)
    throw std::runtime_error("shuffle: width: expected a power of two up to 32, got " +
                             std::to_string(width));
  return width - 1u;
}

}  // namespace mrirecon::emulator

// `width` splits the warp into equal parts, a power of two wide; a lane outside its part reads
// its own value.
template <class T>
T __shfl_sync(unsigned lanes, T value, int source, int width = warpSize) {
  static_assert(mrirecon::emulator::is_shuffled<T>);
  const unsigned below = mrirecon::emulator::check_width(width);
  const unsigned part = mrirecon::emulator::current_lane() & ~below;
  return mrirecon::emulator::shuffle(lanes, value, part | (source & below));
}
template <class T>
T __shfl_up_sync(unsigned lanes, T value, unsigned delta, int width = warpSize) {
  static_assert(mrirecon::emulator::is_shuffled<T>);
  const unsigned below = mrirecon::emulator::check_width(width);
  const unsigned lane = mrirecon::emulator::current_lane();
  const bool is_inside = (lane & below) >= delta;
  return mrirecon::emulator::shuffle(lanes, value, is_inside ? lane - delta : lane);
}
template <class T>
T __shfl_down_sync(unsigned lanes, T value, unsigned delta, int width = warpSize) {
  static_assert(mrirecon::emulator::is_shuffled<T>);
  const unsigned below = mrirecon::emulator::check_width(width);
  const unsigned lane = mrirecon::emulator::current_lane();
  const bool is_inside = (lane & below) + delta <= below;
  return mrirecon::emulator::shuffle(lanes, value, is_inside ? lane + delta : lane);
}
template <class T>
T __shfl_xor_sync(unsigned lanes, T value, int lane_mask, int width = warpSize) {
  static_assert(mrirecon::emulator::is_shuffled<T>);
  const unsigned below = mrirecon::emulator::check_width(width);
  const unsigned lane = mrirecon::emulator::current_lane(), source = lane ^ lane_mask;
  // Lower parts may be read, higher ones not.
  const bool is_higher = (source & ~below) > (lane & ~below);
  return mrirecon::emulator::shuffle(lanes, value, is_higher ? lane : source);
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

// The lanes whose value has the same bits as this lane's.
template <class T>
unsigned __match_any_sync(unsigned lanes, T value) {
  static_assert(mrirecon::emulator::is_shuffled<T>);
  mrirecon::emulator::Collective collective;
  collective.kind = mrirecon::emulator::Collective::Kind::match;
  collective.lanes = lanes;
  std::memcpy(collective.value, &value, sizeof(T));
  mrirecon::emulator::Block::current().wait_for_lanes(collective);
  unsigned equal;
  std::memcpy(&equal, collective.result, sizeof(equal));
  return equal;
}

template <class T>
T __ldg(const T* address) {
  return *address;
}

inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __popcll(unsigned long long bits) { return __builtin_popcountll(bits); }
inline int __ffs(int bits) { return __builtin_ffs(bits); }
inline int __ffsll(long long bits) { return __builtin_ffsll(bits); }
inline int __clz(int bits) { return bits ? __builtin_clz(bits) : 32; }
inline int __clzll(long long bits) { return bits ? __builtin_clzll(bits) : 64; }
