// One block: its threads as fibers, its barriers, its warps.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "emulator/async_copy.h"
#include "emulator/context.h"
#include "emulator/settings.h"
#include "emulator/shared_memory.h"
#include "emulator/types.h"

namespace mrirecon::emulator {

// A place in a kernel's source.
struct Site {
  const char* file;
  int line;
};

// An operation of several lanes of a warp, as one lane enters it. `lanes` is CUDA's mask argument.
struct Collective {
  enum class Kind { sync, shuffle, ballot, match };
  static constexpr size_t kMaxBytes = 32;  // as cooperative groups shuffle

  Kind kind = Kind::sync;
  unsigned lanes = 0;
  unsigned source = 0;                                     // shuffle: the lane to read
  alignas(kMaxBytes) unsigned char value[kMaxBytes] = {};  // what the lane offers
  alignas(kMaxBytes) unsigned char result[kMaxBytes] = {};
};

class Block {
 public:
  // The block of this OS thread; its stacks are kept for the next block.
  static Block& current();

  // Run all threads of one block of `launch` to their end. Throws: Fault.
  void run(const Launch& launch, uint3 index);

  // Called by the kernel, on a fiber.
  int wait_for_block(Site site, bool vote = false);  // how many threads voted so
  void wait_for_lanes(Collective& collective);
  void start_copy(void* to_shared, const void* from, size_t bytes, size_t n_zeros);
  AsyncCopies& copies() { return running_->copies; }
  unsigned lane() const { return running_->rank % warpSize; }
  SharedMemory& shared() { return shared_; }

 private:
  enum class State { ready, at_barrier, in_collective, finished };
  struct Thread {
    unsigned rank = 0;
    uint3 index{};
    State state = State::ready;
    Site site{};              // of the barrier it waits at
    bool vote = false;        // at that barrier
    unsigned n_barriers = 0;  // that it has met
    AsyncCopies copies;
    Collective* collective = nullptr;  // on the thread's own stack
    std::unique_ptr<Stack> stack;      // from its first step to its end
    bool has_begun = false;
    Context context;
  };

  using Ranks = std::vector<unsigned>::const_iterator;

  static void enter_thread();
  void begin(const Launch& launch, uint3 index);
  bool step_lanes();    // false: all wait for the block, or have ended
  bool finish_warps();  // likewise
  void resume_ready(Ranks first, Ranks last);
  void resume(Thread& thread);
  void suspend(State state);
  bool release_collectives(Thread* warp);
  bool is_complete(const Thread* warp, unsigned n_lanes, const Thread& thread) const;
  void resolve(const Thread* warp, unsigned n_lanes, const Thread& thread) const;
  void release_barrier();
  [[noreturn]] void fail(const Thread* thread, const std::string& text) const;

  const Launch* launch_ = nullptr;
  uint3 index_{};
  std::vector<Thread> threads_;
  std::vector<unsigned> order_;
  std::vector<std::unique_ptr<Stack>> free_stacks_;
  SharedMemory shared_;
  std::mt19937 random_;
  Context scheduler_;
  Thread* running_ = nullptr;
  unsigned n_finished_ = 0;
  int n_votes_ = 0;  // of the last barrier
  char barrier_tokens_[2] = {};
  std::string fault_;
};

}  // namespace mrirecon::emulator
