// Sample kernels of asynchronous copies to shared memory, and of their misuse.
// tests/emulator/test_copies.py says what is expected of each.
#include <cuda_pipeline_primitives.h>

#include "kernels.h"

namespace mrirecon::emulator {
namespace {

constexpr int kStages = 4;

// A block's numbers come in kStages rows, the next one on its way while one is reversed.
__global__ void reverse_in_stages(const float* in, float* out, int) {
  struct Memory {
    Row rows[2];
  };
  auto& memory = shared_memory<Memory>();
  const int begin = linear_block() * kStages * blockDim.x;
  const auto start = [&](int stage) {
    if (stage < kStages)
      __pipeline_memcpy_async(&memory.rows[stage % 2].value[threadIdx.x],
                              &in[begin + stage * blockDim.x + threadIdx.x], sizeof(float));
    __pipeline_commit();
  };
  start(0);
  for (int stage = 0; stage < kStages; ++stage) {
    start(stage + 1);
    __pipeline_wait_prior(1);
    __syncthreads();
    out[begin + stage * blockDim.x + threadIdx.x] =
        memory.rows[stage % 2].value[blockDim.x - 1 - threadIdx.x];
    __syncthreads();
  }
}

// One thread, 16 bytes a copy, of which the last 8 become 0.
__global__ void copy_half_and_zeros(const float* in, float* out, int) {
  float* row = dynamic_shared_memory<float>();
  __pipeline_memcpy_async(row, in, 16, 8);
  __pipeline_commit();
  __pipeline_wait_prior(0);
  for (int i = 0; i < 4; ++i) out[i] = row[i];
}

template <bool commits, bool waits, bool synchronises>
__device__ void reverse_by_copy(const float* in, float* out) {
  Row& row = shared_memory<Row>();
  __pipeline_memcpy_async(&row.value[threadIdx.x], &in[position()], sizeof(float));
  if (commits) __pipeline_commit();
  if (waits) __pipeline_wait_prior(0);
  if (synchronises) __syncthreads();
  out[position()] = row.value[blockDim.x - 1 - threadIdx.x];
  __syncthreads();  // all have read, before a copy that was not waited for arrives
  __pipeline_commit();
  __pipeline_wait_prior(0);
}
__global__ void reverse_by_copies(const float* in, float* out, int) {
  reverse_by_copy<true, true, true>(in, out);
}
__global__ void copy_without_commit(const float* in, float* out, int) {
  reverse_by_copy<false, true, true>(in, out);
}
__global__ void copy_without_wait(const float* in, float* out, int) {
  reverse_by_copy<true, false, true>(in, out);
}
__global__ void copy_without_barrier(const float* in, float* out, int) {
  reverse_by_copy<true, true, false>(in, out);
}

// Two groups are on their way, and the second is used after a wait for the first alone.
__global__ void wait_for_the_wrong_group(const float* in, float* out, int) {
  Row& row = shared_memory<Row>();
  __pipeline_memcpy_async(&row.value[0], &in[0], sizeof(float));
  __pipeline_commit();
  __pipeline_memcpy_async(&row.value[1], &in[1], sizeof(float));
  __pipeline_commit();
  __pipeline_wait_prior(1);
  out[0] = row.value[0];
  out[1] = row.value[1];
  __pipeline_wait_prior(0);
}

__global__ void never_wait_for_copy(const float* in, float*, int) {
  __pipeline_memcpy_async(&shared_memory<Row>().value[threadIdx.x], &in[position()], sizeof(float));
  __pipeline_commit();
}
__global__ void copy_six_bytes(const float* in, float*, int) {
  __pipeline_memcpy_async(shared_memory<Row>().value, in, 6);
}
__global__ void copy_misaligned(const float* in, float*, int) {
  __pipeline_memcpy_async(&shared_memory<Row>().value[1], in, 8);
}
__global__ void copy_past_shared(const float* in, float*, int) {
  __pipeline_memcpy_async(&shared_memory<Row>().value[kBlock], in, sizeof(float));
}
__global__ void copy_to_global(const float* in, float* out, int) {
  __pipeline_memcpy_async(out, in, sizeof(float));
}

const RegisterSamples<reverse_in_stages, copy_half_and_zeros, reverse_by_copies,
                      copy_without_commit, copy_without_wait, copy_without_barrier,
                      wait_for_the_wrong_group, never_wait_for_copy, copy_six_bytes,
                      copy_misaligned, copy_past_shared, copy_to_global>
    registered;

}  // namespace
}  // namespace mrirecon::emulator
