// Copies from global to shared memory that a thread has started and not yet waited for (cp.async).
#pragma once

#include <cstddef>
#include <vector>

namespace mrirecon::emulator {

// A GPU may read and write at any moment until the wait. Here the destination is spoilt at the
// start and filled at the wait, so that data which are used too early are never right.
class AsyncCopies {
 public:
  // Copy `bytes`, of which the last `n_zeros` become 0.
  void start(void* to, const void* from, size_t bytes, size_t n_zeros);

  // Make one group of the copies started since the last group.
  void commit();

  // Finish all groups but the last `n_in_flight`; what is in no group is not finished.
  void wait(size_t n_in_flight);

  bool are_finished() const { return copies_.empty(); }
  void forget();

 private:
  struct Copy {
    unsigned char* to;
    const unsigned char* from;
    size_t bytes, n_zeros;
  };

  std::vector<Copy> copies_;        // in the order of their starts
  std::vector<size_t> group_ends_;  // each one past the group's last copy
};

}  // namespace mrirecon::emulator
