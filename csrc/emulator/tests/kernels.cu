// Small kernels that show what the emulator models and which faults it reports. Each reads `n`
// numbers and writes `n`; tests/emulator/test_emulator.py says what is expected of it.
#include "kernels.h"
#include "portable.h"

namespace mrirecon::emulator {
namespace {

constexpr unsigned kAllLanes = 0xffffffffu;
constexpr int kBlock = 256;  // the most threads of a block that these kernels have memory for

struct Row {
  float value[kBlock];
};

__device__ int linear_thread() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}
__device__ int linear_block() {
  return blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
}
__device__ int position() {
  return linear_block() * (blockDim.x * blockDim.y * blockDim.z) + linear_thread();
}

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

// Neighbours exchange through memory that only their warp synchronises.
__global__ void swap_neighbours(const float* in, float* out, int) {
  Row& row = shared_memory<Row>();
  row.value[threadIdx.x] = in[position()];
  __syncwarp();
  out[position()] = row.value[threadIdx.x ^ 1];
}

__global__ void add_all_100_times(const float* in, float* out, int) {
  for (int i = 0; i < 100; ++i) atomicAdd(out, in[position()]);
}

// Each block writes how many blocks ran before it; the last number counts them.
__global__ void number_blocks(const float*, float* out, int n) {
  if (linear_thread() == 0) out[linear_block()] = atomicAdd(&out[n - 1], 1.0f);
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

template <auto kernel>
void launch(const Shape& shape, const float* in, float* out, int n) {
  launch_kernel<kernel>(shape.grid, shape.block, shape.shared_bytes, nullptr, in, out, n);
}

template <auto kernel>
std::pair<const std::string, SampleKernel> sample() {
  return {kernel_name<kernel>(), launch<kernel>};
}

}  // namespace

const std::map<std::string, SampleKernel>& sample_kernels() {
  static const std::map<std::string, SampleKernel> kernels{
      sample<write_position>(),         sample<reverse_block>(),
      sample<rotate_block>(),           sample<sum_up_to_lane>(),
      sample<shuffle_in_parts>(),       sample<vote_in_halves>(),
      sample<swap_neighbours>(),        sample<add_all_100_times>(),
      sample<number_blocks>(),          sample<missing_barrier>(),
      sample<missing_second_barrier>(), sample<uninitialised_shared>(),
      sample<divergent_barrier>(),      sample<exit_before_barrier>(),
      sample<wait_for_each_other>(),    sample<lane_outside_its_mask>(),
      sample<shuffle_from_outside>(),   sample<write_past_shared>(),
      sample<write_before_shared>(),    sample<too_much_static_shared>()};
  return kernels;
}

}  // namespace mrirecon::emulator
