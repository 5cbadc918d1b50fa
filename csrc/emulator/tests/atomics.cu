// Sample kernels of the atomic functions, on shared and on global memory.
// tests/emulator/test_atomics.py says what is expected of each.
#include "kernels.h"

namespace mrirecon::emulator {
namespace {

// Every thread of a block of integers takes part in every function; thread 0 writes the results.
__global__ void combine_in_shared(const float* in, float* out, int) {
  struct Memory {
    int sum, difference, least, most;
    unsigned all, some, odd, ticket, countdown;
    unsigned long long sum_of_squares;
    double sum_of_halves;
  };
  auto& memory = shared_memory<Memory>();
  const int value = static_cast<int>(in[position()]);
  if (linear_thread() == 0) memory = {0, 0, value, value, ~0u, 0, 0, 0, 0, 0, 0};
  __syncthreads();
  atomicAdd(&memory.sum, value);
  atomicSub(&memory.difference, value);
  atomicMin(&memory.least, value);
  atomicMax(&memory.most, value);
  atomicAnd(&memory.all, static_cast<unsigned>(value + 256));
  atomicOr(&memory.some, static_cast<unsigned>(value + 256));
  atomicXor(&memory.odd, static_cast<unsigned>(value + 256));
  atomicInc(&memory.ticket, 6);
  atomicDec(&memory.countdown, 6);
  atomicAdd(&memory.sum_of_squares, value * value);
  atomicAdd(&memory.sum_of_halves, 0.5 * value);
  __syncthreads();
  const double results[] = {double(memory.sum),       double(memory.difference),
                            double(memory.least),     double(memory.most),
                            double(memory.all),       double(memory.some),
                            double(memory.odd),       double(memory.ticket),
                            double(memory.countdown), double(memory.sum_of_squares),
                            memory.sum_of_halves};
  constexpr int kResults = sizeof(results) / sizeof(*results);
  if (linear_thread() < kResults) out[position()] = static_cast<float>(results[linear_thread()]);
}

// Distinct positive numbers find a slot of a table by compare and swap; out[0] counts the slots.
__global__ void claim_slots(const float* in, float* out, int) {
  struct Table {
    int slot[kBlock];
  };
  auto& table = shared_memory<Table>();
  table.slot[threadIdx.x] = 0;
  __syncthreads();
  const int value = static_cast<int>(in[position()]);
  for (int at = value % 7;; ++at) {
    const int before = atomicCAS(&table.slot[at], 0, value);
    if (before == 0) atomicAdd(out, 1.0f);
    if (before == 0 || before == value) break;
  }
}

// A chain of all threads, newest first, built by exchanges; thread 0 adds the numbers along it.
__global__ void chain_threads(const float* in, float* out, int) {
  struct Chain {
    int first, next[kBlock];
  };
  auto& chain = shared_memory<Chain>();
  if (threadIdx.x == 0) chain.first = -1;
  __syncthreads();
  chain.next[threadIdx.x] = atomicExch(&chain.first, static_cast<int>(threadIdx.x));
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int at = chain.first; at >= 0; at = chain.next[at])
    out[linear_block()] += in[linear_block() * blockDim.x + at];
}

// Each block leaves its sum; the block that is last to finish adds them. The last number counts.
__global__ void sum_in_last_block(const float* in, float* out, int n) {
  if (linear_thread() != 0) return;
  float sum = 0;
  for (unsigned i = 0; i < blockDim.x; ++i) sum += in[linear_block() * blockDim.x + i];
  out[1 + linear_block()] = sum;
  __threadfence();
  auto* n_done = reinterpret_cast<unsigned*>(&out[n - 1]);
  if (atomicInc(n_done, gridDim.x - 1) != gridDim.x - 1) return;
  __threadfence();
  for (unsigned block = 0; block < gridDim.x; ++block) out[0] += out[1 + block];
}

__global__ void add_all_100_times(const float* in, float* out, int) {
  for (int i = 0; i < 100; ++i) atomicAdd(out, in[position()]);
}

// Each block writes how many blocks ran before it; the last number counts them.
__global__ void number_blocks(const float*, float* out, int n) {
  if (linear_thread() == 0) out[linear_block()] = atomicAdd(&out[n - 1], 1.0f);
}

const RegisterSamples<combine_in_shared, claim_slots, chain_threads, sum_in_last_block,
                      add_all_100_times, number_blocks>
    registered;

}  // namespace
}  // namespace mrirecon::emulator
