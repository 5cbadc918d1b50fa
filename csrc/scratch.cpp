#include "scratch.h"

#include <cstdlib>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace mrirecon {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;  // bytes
constexpr size_t kKept = size_t{64} << 20;     // bytes; a larger block is given back at once

struct Block {
  void* memory;
  size_t bytes;
};

// The blocks that a thread keeps but does not use now.
struct Kept {
  std::vector<Block> blocks;
  ~Kept() {
    for (const Block& block : blocks) std::free(block.memory);
  }
};

Kept& kept() {
  static thread_local Kept blocks;
  return blocks;
}

Block allocate(size_t bytes) {
  const size_t alignment = bytes < kHugePage ? 4096 : kHugePage;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (!memory) throw std::bad_alloc();
#ifdef __linux__
  if (alignment == kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);  // advice: may be ignored
#endif
  return {memory, rounded};
}

}  // namespace

Scratch::Scratch(size_t bytes) {
  auto& blocks = kept().blocks;
  size_t best = blocks.size();
  for (size_t i = 0; i < blocks.size(); ++i)
    if (blocks[i].bytes >= bytes && (best == blocks.size() || blocks[i].bytes < blocks[best].bytes))
      best = i;
  Block block{};
  if (best < blocks.size()) {
    block = blocks[best];
    blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(best));
  } else {
    block = allocate(bytes > 0 ? bytes : 1);
  }
  memory_ = block.memory;
  bytes_ = block.bytes;
}

Scratch::~Scratch() {
  auto& blocks = kept().blocks;
  size_t total = bytes_;
  for (const Block& block : blocks) total += block.bytes;
  while (!blocks.empty() && total > kKept) {  // the oldest first
    total -= blocks.front().bytes;
    std::free(blocks.front().memory);
    blocks.erase(blocks.begin());
  }
  if (bytes_ > kKept)
    std::free(memory_);
  else
    blocks.push_back({memory_, bytes_});
}

}  // namespace mrirecon
