// CUDA's execution model on the CPU, so that the very .cu files are tested where there is no GPU.
// A test tool: no part of it is in a wheel, and its speed says nothing about a GPU's.
//
// A block runs on one OS thread; each of its CUDA threads is a fiber that runs until it meets a
// barrier or a warp operation. The order in which fibers run is forward, reverse or random, so that
// a result that depends on it (a missing barrier, a race) differs between orders.
//
// Modelled: grids and blocks of three dimensions, and the limits of a launch; static and dynamic
//   shared memory, filled with NaN before each block, with guarded ends; __syncthreads; __syncwarp,
//   shuffles and votes on any mask; atomicAdd; __ldg; vector types and their alignment.
// Reported as an error that names kernel, block and thread: a barrier that threads reach at
//   different places, or that some have exited before; threads that wait for each other; a lane
//   outside its own mask, or a shuffle from a lane that does not take part; a write past the end
//   of shared memory; too much of it; a launch that CUDA refuses.
// Not modelled: memory ordering weaker than that of the CPU, streams (a launch returns when it is
//   done), textures, inline PTX, tensor cores, asynchronous copies, cooperative groups, clusters,
//   rounding of the GPU's own functions.
//
// context.h: stacks and the switch between them. shared_memory.h: a block's memory. block.h: the
// threads of a block. grid.h: a launch. intrinsics.h: what a kernel calls. Kernels include only
// portable.h.
#pragma once

#include "emulator/grid.h"
#include "emulator/intrinsics.h"
#include "emulator/types.h"
