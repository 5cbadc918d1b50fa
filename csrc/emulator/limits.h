// What CUDA allows a launch, on each architecture.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "emulator/settings.h"

namespace mrirecon::emulator {

// The most shared memory of a block of `architecture`, 80 for sm_80, in bytes.
// Throws: std::invalid_argument for one that is not known.
size_t max_shared_bytes(int architecture);

// The most static shared memory that the launch's dynamic part leaves a kernel, in bytes.
size_t max_static_bytes(const Launch& launch);

// Set the most threads of a block of kernels, by name: what their __launch_bounds__ say. The macro
// is empty here, since g++ keeps nothing of it that could be asked for; tests hand over what nvcc
// compiled.
void set_launch_bounds(std::map<std::string, unsigned> n_threads);

// Throws: Fault, with CUDA's own text first, if CUDA would refuse the launch.
void check_limits(const Launch& launch);

}  // namespace mrirecon::emulator
