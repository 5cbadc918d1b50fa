// Sample kernels with faults that only a sanitizer sees for certain. tools/sanitize runs each and
// expects its report.
#include "kernels.h"

namespace mrirecon::emulator {
namespace {

__global__ void read_past_global(const float* in, float* out, int n) { out[0] = in[n]; }

__global__ void read_past_shared(const float*, float* out, int) {
  out[0] = shared_memory<Row>().value[kBlock + threadIdx.x];
}

__global__ void misaligned_vector(const float* in, float* out, int) {
  const float4 four = *reinterpret_cast<const float4*>(in + 1);
  out[0] = four.x + four.w;
}

__global__ void overflow_index(const float* in, float* out, int n) {
  const int stride = 1 << 30;
  out[0] = in[n * stride < 0];  // 192 * 2^30 is no int
}

// Neighbours exchange through memory that nothing synchronises, within a warp.
__global__ void missing_syncwarp(const float* in, float* out, int) {
  Row& row = shared_memory<Row>();
  row.value[threadIdx.x] = in[position()];
  out[position()] = row.value[threadIdx.x ^ 1];
}

// A shuffle is no barrier for memory.
__global__ void shuffle_for_syncwarp(const float* in, float* out, int) {
  Row& row = shared_memory<Row>();
  row.value[threadIdx.x] = in[position()];
  const float own = __shfl_sync(kAllLanes, in[position()], threadIdx.x % warpSize);
  out[position()] = own + row.value[threadIdx.x ^ 1];
}

__global__ void add_without_atomic(const float* in, float* out, int) {
  if (threadIdx.x == 0) out[0] += in[blockIdx.x];  // a race of blocks
}

const RegisterSamples<read_past_global, read_past_shared, misaligned_vector, overflow_index,
                      missing_syncwarp, shuffle_for_syncwarp, add_without_atomic>
    registered;

}  // namespace
}  // namespace mrirecon::emulator
