#include "emulator/limits.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

namespace mrirecon::emulator {
namespace {

// CUDA C++ programming guide, technical specifications. The same for every compute capability:
constexpr unsigned kMaxGrid[3] = {2147483647u, 65535u, 65535u};
constexpr unsigned kMaxBlock[3] = {1024u, 1024u, 64u};
constexpr uint64_t kMaxThreads = 1024;
constexpr size_t kKiB = 1024, kMaxStaticBytes = 48 * kKiB;

// Of a block, by compute capability; more than 48 KiB only as dynamic memory that is asked for.
const std::map<int, size_t> kMaxSharedBytes = {{75, 64 * kKiB}, {80, 163 * kKiB}, {86, 99 * kKiB},
                                               {89, 99 * kKiB}, {90, 227 * kKiB}, {100, 227 * kKiB},
                                               {120, 99 * kKiB}};

std::map<std::string, unsigned>& launch_bounds() {
  static std::map<std::string, unsigned> bounds;
  return bounds;
}

void check_size(const Launch& launch, const char* name, dim3 size, const unsigned (&most)[3]) {
  const unsigned sizes[3] = {size.x, size.y, size.z};
  for (int axis = 0; axis < 3; ++axis)
    if (sizes[axis] < 1 || sizes[axis] > most[axis])
      throw Fault(launch.kernel, std::string("invalid configuration argument: ") + name + "." +
                                     "xyz"[axis] + ": expected 1 to " + std::to_string(most[axis]) +
                                     ", got " + std::to_string(sizes[axis]));
}

}  // namespace

size_t max_shared_bytes(int architecture) {
  const auto found = kMaxSharedBytes.find(architecture);
  if (found != kMaxSharedBytes.end()) return found->second;
  std::string known;
  for (const auto& [number, bytes] : kMaxSharedBytes) known += " " + std::to_string(number);
  throw std::invalid_argument("architecture: expected one of" + known + ", got " +
                              std::to_string(architecture));
}

// launch_kernel asks for more than the default only where the dynamic part alone exceeds it.
size_t max_static_bytes(const Launch& launch) {
  const size_t most = launch.dynamic_bytes > kMaxStaticBytes
                          ? max_shared_bytes(launch.settings.architecture)
                          : kMaxStaticBytes;
  return std::min(kMaxStaticBytes, most - launch.dynamic_bytes);
}

void set_launch_bounds(std::map<std::string, unsigned> n_threads) {
  launch_bounds() = std::move(n_threads);
}

void check_limits(const Launch& launch) {
  check_size(launch, "grid", launch.grid, kMaxGrid);
  check_size(launch, "block", launch.block, kMaxBlock);
  const uint64_t n_threads = uint64_t{launch.block.x} * launch.block.y * launch.block.z;
  if (n_threads > kMaxThreads)
    throw Fault(launch.kernel, "invalid configuration argument: block: expected at most " +
                                   std::to_string(kMaxThreads) + " threads, got " +
                                   std::to_string(n_threads));
  const auto bound = launch_bounds().find(launch.kernel);
  if (bound != launch_bounds().end() && n_threads > bound->second)
    throw Fault(launch.kernel, "block: expected at most the " + std::to_string(bound->second) +
                                   " threads of its __launch_bounds__, got " +
                                   std::to_string(n_threads));
  const int architecture = launch.settings.architecture;
  if (launch.dynamic_bytes > max_shared_bytes(architecture))
    throw Fault(launch.kernel, "invalid argument: dynamic shared memory on sm_" +
                                   std::to_string(architecture) + ": expected at most " +
                                   std::to_string(max_shared_bytes(architecture)) + " bytes, got " +
                                   std::to_string(launch.dynamic_bytes));
}

}  // namespace mrirecon::emulator
