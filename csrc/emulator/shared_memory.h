// The shared memory of one block.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

namespace mrirecon::emulator {

class SharedMemory {
 public:
  // Forget the last block's memory and allocate the dynamic part of a new block's.
  // is_poisoned: fill memory with all ones, which is NaN in every floating format, instead of 0.
  void begin_block(size_t dynamic_bytes, size_t max_static_bytes, bool is_poisoned);

  void* dynamic_part() const { return areas_.front().begin(); }

  // The static variable that `key` stands for; made at its first use in a block.
  // Throws: std::runtime_error if the block's static memory exceeds what CUDA allows.
  void* static_part(const void* key, size_t bytes);

  bool contains(const void* begin, size_t bytes) const;

  // Throws: std::runtime_error if bytes beside a variable were written.
  void check_ends() const;

 private:
  struct Free {
    void operator()(unsigned char* memory) const { std::free(memory); }
  };
  struct Area {
    const void* key;
    size_t bytes;
    std::unique_ptr<unsigned char, Free> memory;  // guard, `bytes`, guard
    unsigned char* begin() const;
    size_t total_bytes() const;
  };

  const Area& add(const void* key, size_t bytes);

  std::vector<Area> areas_;
  size_t max_static_bytes_ = 0;
  bool is_poisoned_ = true;
};

}  // namespace mrirecon::emulator
