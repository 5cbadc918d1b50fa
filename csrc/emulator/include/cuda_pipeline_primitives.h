// The emulator's twin of CUDA's header of this name: asynchronous copies to shared memory.
#pragma once

#include <algorithm>
#include <cstddef>

#include "emulator/block.h"

inline void __pipeline_memcpy_async(void* to_shared, const void* from_global, size_t bytes,
                                    size_t n_zeros = 0) {
  mrirecon::emulator::Block::current().start_copy(to_shared, from_global, bytes, n_zeros);
}

inline void __pipeline_commit() { mrirecon::emulator::Block::current().copies().commit(); }

// CUDA's header waits for 8 groups back at most.
inline void __pipeline_wait_prior(size_t n_in_flight) {
  mrirecon::emulator::Block::current().copies().wait(std::min<size_t>(n_in_flight, 8));
}
