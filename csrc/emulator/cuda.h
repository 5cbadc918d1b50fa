// CUDA's execution model on the CPU, so that the very .cu files are tested where there is no GPU.
// A test tool: no part of it is in a wheel, and its speed says nothing about a GPU's.
//
// A block runs on one OS thread; each of its CUDA threads is a fiber that runs until it meets a
// barrier or a warp operation. In the forward and the reverse order a warp runs ahead until it
// waits for the block; in the random order all lanes take steps in turn. So a result that depends
// on the order (a missing barrier, a race) differs between orders.
//
// Modelled: grids and blocks of three dimensions, and the limits that an architecture and
// __launch_bounds__ set a launch;
//   static and dynamic shared memory, filled with NaN before each block, with guarded ends;
//   __syncthreads, with and without a vote; __syncwarp, shuffles, votes and matches on any mask;
//   atomics and fences; asynchronous copies to shared memory; blocks and tiles of cooperative
//   groups; vector types and their alignment; __ldg and the counting of bits.
// Reported as an error that names kernel, block and thread: a barrier that threads reach at
//   different places, or that some have exited before; threads that wait for each other; a lane
//   outside its own mask, or a shuffle from a lane that does not take part; a write past the end
//   of shared memory; too much of it; an asynchronous copy that is misaligned, leaves shared memory
//   or is never waited for; a launch that CUDA refuses. A copy's data are NaN until the wait.
// Not modelled: memory ordering weaker than that of the CPU, streams (a launch returns when it is
//   done), registers, textures, inline PTX, tensor cores, clusters, groups of
//   a whole grid, coalesced groups, rounding of the GPU's own functions.
//
// context.h: stacks and the switch between them. shared_memory.h: a block's memory. async_copy.h: a
// thread's copies. block.h: the threads of a block. limits.h: what may be launched. grid.h: a
// launch. intrinsics.h, atomics.h: what a kernel calls. include/: twins of CUDA's headers. Kernels
// include portable.h and, where they need them, those headers by CUDA's names.
#pragma once

#include "emulator/atomics.h"
#include "emulator/grid.h"
#include "emulator/intrinsics.h"
#include "emulator/types.h"
