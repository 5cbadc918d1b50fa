// A launch: every block of a grid.
#pragma once

#include "emulator/settings.h"

namespace mrirecon::emulator {

// Run a grid to its end. Throws: Fault, the first one met, or what CUDA would refuse to launch.
void run_grid(const Launch& launch);

// The name of a kernel, without its namespaces.
template <auto kernel>
std::string kernel_name() {
  const std::string text =
      __PRETTY_FUNCTION__;  // "... [with auto kernel = NAME; std::string = ..."
  const std::string label = "kernel = ";
  const size_t begin = text.find(label) + label.size();
  std::string name = text.substr(begin, text.find(';', begin) - begin);
  const size_t scope = name.rfind("::", name.find('<'));
  return scope == std::string::npos ? name : name.substr(scope + 2);
}

}  // namespace mrirecon::emulator
