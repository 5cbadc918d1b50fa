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
#include "emulator/limits.h"

namespace mrirecon::emulator {
namespace {

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
  acquire_order(&launch);  // all that its threads did
  if (fault) std::rethrow_exception(fault);
}

}  // namespace mrirecon::emulator
