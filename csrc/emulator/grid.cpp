#include "emulator/grid.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "emulator/block.h"

namespace mrirecon::emulator {
namespace {

// CUDA C++ programming guide, technical specifications: the same for every compute capability.
constexpr unsigned kMaxGrid[3] = {2147483647u, 65535u, 65535u};
constexpr unsigned kMaxBlock[3] = {1024u, 1024u, 64u};
constexpr uint64_t kMaxThreads = 1024;

void check_size(const Launch& launch, const char* name, dim3 size, const unsigned (&most)[3]) {
  const unsigned sizes[3] = {size.x, size.y, size.z};
  for (int axis = 0; axis < 3; ++axis)
    if (sizes[axis] < 1 || sizes[axis] > most[axis])
      throw Fault(launch.kernel, std::string(name) + "." + "xyz"[axis] + ": expected 1 to " +
                                     std::to_string(most[axis]) + ", got " +
                                     std::to_string(sizes[axis]));
}

void check_limits(const Launch& launch) {
  check_size(launch, "grid", launch.grid, kMaxGrid);
  check_size(launch, "block", launch.block, kMaxBlock);
  const uint64_t n_threads = uint64_t{launch.block.x} * launch.block.y * launch.block.z;
  if (n_threads > kMaxThreads)
    throw Fault(launch.kernel, "block: expected at most " + std::to_string(kMaxThreads) +
                                   " threads, got " + std::to_string(n_threads));
  if (launch.dynamic_bytes > launch.settings.max_shared_bytes)
    throw Fault(launch.kernel, "dynamic shared memory: expected at most " +
                                   std::to_string(launch.settings.max_shared_bytes) +
                                   " bytes, got " + std::to_string(launch.dynamic_bytes));
}

std::vector<uint64_t> block_order(const Launch& launch) {
  std::vector<uint64_t> order(uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z);
  std::iota(order.begin(), order.end(), uint64_t{0});
  if (launch.settings.order == Order::reverse) std::reverse(order.begin(), order.end());
  if (launch.settings.order == Order::random)
    std::shuffle(order.begin(), order.end(), std::mt19937_64(launch.settings.seed));
  return order;
}

}  // namespace

void run_grid(const Launch& launch) {
  check_limits(launch);
  const std::vector<uint64_t> order = block_order(launch);
  std::atomic<uint64_t> next{0};
  std::mutex mutex;
  std::exception_ptr fault;
  const auto work = [&] {
    try {
      for (uint64_t i; (i = next++) < order.size();) {
        const uint64_t x = order[i] % launch.grid.x, rest = order[i] / launch.grid.x;
        Block::current().run(launch,
                             {static_cast<unsigned>(x), static_cast<unsigned>(rest % launch.grid.y),
                              static_cast<unsigned>(rest / launch.grid.y)});
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!fault) fault = std::current_exception();
      next = order.size();  // the others stop after the block they are in
    }
  };
  std::vector<std::thread> helpers;
  for (int i = 1; i < launch.settings.os_threads; ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  if (fault) std::rethrow_exception(fault);
}

}  // namespace mrirecon::emulator
