// How the emulator runs, what it is asked to run, and how it complains.
#pragma once

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>

#include "emulator/types.h"

namespace mrirecon::emulator {

enum class Order { forward, reverse, random };

struct Settings {
  Order order = Order::forward;  // of the threads of a block, and of the blocks of a grid
  unsigned seed = 1;             // of the random order
  int os_threads = 1;            // blocks that run at the same time
  bool is_poisoned = true;       // shared memory starts as NaN, not as 0
  int architecture = 75;         // whose limits hold: sm_75 has the least of those we build for
};

// Of the process. Launches read them once, when they start.
inline Settings& settings() {
  static Settings settings;
  return settings;
}

struct Launch {
  std::string kernel;  // its name, for messages
  dim3 grid, block;
  size_t dynamic_bytes;
  std::function<void()> body;  // the kernel with its arguments, for one thread
  Settings settings;
};

// What CUDA leaves undefined, or refuses. The text names the kernel and what happened.
class Fault : public std::runtime_error {
 public:
  Fault(const std::string& kernel, const std::string& text)
      : std::runtime_error("emulated kernel " + kernel + ": " + text) {}
};

}  // namespace mrirecon::emulator
