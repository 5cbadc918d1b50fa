// Included by cpu/<stem>.cpp. Those files are compiled once per instruction set, with MRIRECON_SIMD
// naming it. They define `rows(args, begin, end)` in `inline namespace MRIRECON_SIMD`, so that
// nothing of one instruction set can be linked into another, and instantiate run_items for it.
#pragma once

#include "../backend.h"

namespace mrirecon {

constexpr Simd kSimd = Simd::MRIRECON_SIMD;

template <Simd level, class Args>
void run_items(const Args& args, int64_t begin, int64_t end) {
  rows(args, begin, end);
}

}  // namespace mrirecon
