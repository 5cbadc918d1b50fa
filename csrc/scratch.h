// Working memory of CPU kernels, kept by its thread from one call to the next: fresh pages cost
// more time than the work done in them.
#pragma once

#include <cstddef>

namespace mrirecon {

class Scratch {
 public:
  explicit Scratch(size_t bytes);  // aligned to a cache line, or to a huge page if that large
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  template <class T>
  T* as() const {
    return static_cast<T*>(memory_);
  }

 private:
  void* memory_;
  size_t bytes_;
};

}  // namespace mrirecon
