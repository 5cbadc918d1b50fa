// A launch: every block of a grid.
#pragma once

#include "emulator/settings.h"

namespace mrirecon::emulator {

// Run a grid to its end. Throws: Fault, the first one met, or what CUDA would refuse to launch.
void run_grid(const Launch& launch);

// The name of a kernel, and those of its template arguments, without their namespaces.
template <auto kernel>
std::string kernel_name() {
  const std::string text =
      __PRETTY_FUNCTION__;  // "... [with auto kernel = NAME; std::string = ..."
  const std::string label = "kernel = ";
  const size_t begin = text.find(label) + label.size();
  std::string name = text.substr(begin, text.find(';', begin) - begin);
  for (size_t scope; (scope = name.find("::")) != std::string::npos;) {
    const size_t before = name.find_last_of("<, ", scope);
    const size_t first = before == std::string::npos ? 0 : before + 1;
    name.erase(first, scope + 2 - first);
  }
  return name;
}

}  // namespace mrirecon::emulator
