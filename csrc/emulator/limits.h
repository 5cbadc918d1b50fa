// What CUDA allows a launch, on each architecture.
#pragma once

#include <cstddef>

#include "emulator/settings.h"

namespace mrirecon::emulator {

// The most shared memory of a block of `architecture`, 80 for sm_80, in bytes.
// Throws: std::invalid_argument for one that is not known.
size_t max_shared_bytes(int architecture);

// The most static shared memory that the launch's dynamic part leaves a kernel, in bytes.
size_t max_static_bytes(const Launch& launch);

// Throws: Fault, with CUDA's own text first, if CUDA would refuse the launch.
void check_limits(const Launch& launch);

}  // namespace mrirecon::emulator
