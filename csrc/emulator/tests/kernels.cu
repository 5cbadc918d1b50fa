// Small kernels that show what the emulator models and which faults it reports: barriers, shuffles,
// votes, shared memory. tests/emulator/test_emulator.py says what is expected of each.
#include "kernels.h"

namespace mrirecon::emulator {
namespace {

__global__ void write_position(const float*, float* out, int n) {
  if (position() < n) out[position()] = static_cast<float>(position());
}

// Reverses each block's numbers through static shared memory.
__global__ void reverse_block(const float* in, float* out, int) {
  Row& row = shared_memory<Row>();
  row.value[threadIdx.x] = in[position()];
  __syncthreads();
  out[position()] = row.value[blockDim.x - 1 - threadIdx.x];
}

// The same through dynamic shared memory, several times over: barriers in a loop.
__global__ void rotate_block(const float* in, float* out, int) {
  float* row = dynamic_shared_memory<float>();
  row[threadIdx.x] = in[position()];
  for (int step = 0; step < 3; ++step) {
    __syncthreads();
    const float next = row[(threadIdx.x + 1) % blockDim.x];
    __syncthreads();
    row[threadIdx.x] = next;
  }
  out[position()] = row[threadIdx.x];
}

__global__ void sum_up_to_lane(const float* in, float* out, int) {
  const int lane = threadIdx.x % warpSize;
  float sum = in[position()];
  for (int delta = 1; delta < warpSize; delta *= 2) {
    const float before = __shfl_up_sync(kAllLanes, sum, delta);
    if (lane >= delta) sum += before;
  }
  out[position()] = sum;
}

// Four shuffles in parts of 8 lanes; each warp keeps one of them.
__global__ void shuffle_in_parts(const float* in, float* out, int) {
  const float value = in[position()];
  const float results[4] = {
      __shfl_sync(kAllLanes, value, 3, 8), __shfl_up_sync(kAllLanes, value, 2, 8),
      __shfl_down_sync(kAllLanes, value, 2, 8), __shfl_xor_sync(kAllLanes, value, 13, 8)};
  out[position()] = results[position() / warpSize % 4];
}

// The lower half of each warp counts its positive numbers, the upper half tests for any and all.
__global__ void vote_in_halves(const float* in, float* out, int) {
  const bool is_positive = in[position()] > 0;
  if (threadIdx.x % warpSize < 16)
    out[position()] = static_cast<float>(__popc(__ballot_sync(0x0000ffffu, is_positive)));
  else
    out[position()] = static_cast<float>(2 * __any_sync(0xffff0000u, is_positive) +
                                         __all_sync(0xffff0000u, is_positive));
}

// A block votes at its barrier: all positive, any, and how many.
__global__ void vote_at_barrier(const float* in, float* out, int) {
  const bool is_positive = in[position()] > 0;
  const int all = __syncthreads_and(is_positive), any = __syncthreads_or(is_positive);
  out[position()] = static_cast<float>(1000 * all + 100 * any + __syncthreads_count(is_positive));
}

// How many lanes of the warp have a number of the same tens.
__global__ void count_equal_lanes(const float* in, float* out, int) {
  const int tens = static_cast<int>(in[position()]) / 10;
  out[position()] = static_cast<float>(__popc(__match_any_sync(kAllLanes, tens)));
}

// The functions that count bits, one for each number.
__global__ void count_bits(const float* in, float* out, int) {
  const int bits = static_cast<int>(in[position()]);
  const long long many = static_cast<long long>(bits) * (1 << 20);
  const int counts[6] = {__popc(bits),   __ffs(bits),   __clz(bits),
                         __popcll(many), __ffsll(many), __clzll(many)};
  out[position()] = static_cast<float>(counts[position() % 6]);
}

// Neighbours exchange through memory that only their warp synchronises.
__global__ void swap_neighbours(const float* in, float* out, int) {
  Row& row = shared_memory<Row>();
  row.value[threadIdx.x] = in[position()];
  __syncwarp();
  out[position()] = row.value[threadIdx.x ^ 1];
}

__global__ void missing_barrier(const float* in, float* out, int) {
  Row& row = shared_memory<Row>();
  row.value[threadIdx.x] = in[position()];
  out[position()] = row.value[blockDim.x - 1 - threadIdx.x];
}

__global__ void missing_second_barrier(const float* in, float* out, int) {
  Row& row = shared_memory<Row>();
  row.value[threadIdx.x] = in[position()];
  __syncthreads();
  const float other = row.value[blockDim.x - 1 - threadIdx.x];
  row.value[threadIdx.x] = -1;  // another thread may not have read it yet
  out[position()] = other;
}

__global__ void uninitialised_shared(const float*, float* out, int) {
  out[position()] = shared_memory<Row>().value[threadIdx.x];
}

__global__ void divergent_barrier(const float*, float* out, int) {
  if (threadIdx.x < 16) {
    __syncthreads();
  } else {
    out[position()] = 1;
    __syncthreads();
  }
}

__global__ void exit_before_barrier(const float*, float* out, int) {
  if (threadIdx.x >= 16) return;
  __syncthreads();
  out[position()] = 1;
}

__global__ void wait_for_each_other(const float*, float*, int) {
  if (threadIdx.x < 16)
    __syncthreads();
  else
    __syncwarp();
}

__global__ void lane_outside_its_mask(const float*, float*, int) { __syncwarp(0x0000ffffu); }

__global__ void shuffle_from_outside(const float* in, float* out, int) {
  if (threadIdx.x % warpSize < 16) out[position()] = __shfl_sync(0x0000ffffu, in[position()], 20);
}

__global__ void shuffle_in_thirds(const float* in, float* out, int) {
  out[position()] = __shfl_sync(kAllLanes, in[position()], 0, 3);
}

__global__ void write_past_shared(const float*, float*, int) {
  shared_memory<Row>().value[kBlock + threadIdx.x] = 1;
}

__global__ void write_before_shared(const float*, float*, int) {
  dynamic_shared_memory<float>()[-1] = 1;
}

__global__ void too_much_static_shared(const float*, float*, int) {
  struct Large {
    float value[12289];  // 48 KiB and 4 bytes
  };
  shared_memory<Large>().value[threadIdx.x] = 1;
}

const RegisterSamples<write_position, reverse_block, rotate_block, sum_up_to_lane, shuffle_in_parts,
                      vote_in_halves, swap_neighbours, missing_barrier, missing_second_barrier,
                      uninitialised_shared, divergent_barrier, exit_before_barrier,
                      wait_for_each_other, lane_outside_its_mask, shuffle_from_outside,
                      write_past_shared, write_before_shared, too_much_static_shared,
                      vote_at_barrier, count_equal_lanes, count_bits, shuffle_in_thirds>
    registered;

}  // namespace
}  // namespace mrirecon::emulator
