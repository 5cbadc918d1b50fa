// What AddressSanitizer and ThreadSanitizer must be told about fibers; nothing in a plain build.
//
// ThreadSanitizer is told that each fiber is a thread, that the scheduler's switches order nothing,
// and that barriers do: so it finds a race of two CUDA threads in whatever order they run. The
// emulator's own files are not instrumented (CMakeLists.txt). What it may miss: races of lanes that
// __syncwarp joined with others in between, and of a block's thread with its neighbour's in the
// next block, which runs on the same stack.
#pragma once

#include <cstddef>

#ifdef MRIRECON_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef MRIRECON_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
extern "C" {
void __tsan_ignore_thread_begin();
void __tsan_ignore_thread_end();
}
#endif

namespace mrirecon::emulator {

// A stack as the sanitizers know it.
struct WatchedStack {
  const void* bottom = nullptr;
  size_t bytes = 0;
  void* fake = nullptr;   // AddressSanitizer's
  void* fiber = nullptr;  // ThreadSanitizer's
};

#ifdef MRIRECON_ADDRESS_SANITIZER

inline void watch_new(WatchedStack& stack, const void* bottom, size_t bytes) {
  stack.bottom = bottom;
  stack.bytes = bytes;
}
inline void watch_reuse(const WatchedStack& stack) {  // a fiber that ended left its frames' marks
  __asan_unpoison_memory_region(stack.bottom, stack.bytes);
}
inline void watch_switch(WatchedStack& from, const WatchedStack& to) {
  __sanitizer_start_switch_fiber(&from.fake, to.bottom, to.bytes);
}
inline void watch_return(WatchedStack& to) {
  __sanitizer_finish_switch_fiber(to.fake, nullptr, nullptr);
}
// On the first step of a new stack. `from`: the one that began it, whose place is learnt here.
inline void watch_entry(WatchedStack& from) {
  __sanitizer_finish_switch_fiber(nullptr, &from.bottom, &from.bytes);
}
inline void forbid(const void* begin, size_t bytes) { __asan_poison_memory_region(begin, bytes); }
inline void allow(const void* begin, size_t bytes) { __asan_unpoison_memory_region(begin, bytes); }

#else

inline void forbid(const void*, size_t) {}
inline void allow(const void*, size_t) {}

#endif

#ifdef MRIRECON_THREAD_SANITIZER

// A stack is a thread to the sanitizer, and two threads of a block are not one.
constexpr bool kSharesStacks = false;

inline void watch_scheduler(WatchedStack& stack) { stack.fiber = __tsan_get_current_fiber(); }
inline void watch_new(WatchedStack& stack, const void* bottom, size_t) {
  stack.bottom = bottom;
  stack.fiber = __tsan_create_fiber(0);
}
inline void watch_end(WatchedStack& stack) { __tsan_destroy_fiber(stack.fiber); }
// What came before the switch is ordered before the fiber, never after it.
inline void watch_switch(WatchedStack&, const WatchedStack& to) {
  __tsan_switch_to_fiber(to.fiber, to.bottom ? 0 : __tsan_switch_to_fiber_no_sync);
}

// All that threads did before they release a token is before what others do after they acquire it.
inline void release_order(const void* token) { __tsan_release(const_cast<void*>(token)); }
inline void acquire_order(const void* token) { __tsan_acquire(const_cast<void*>(token)); }

// While one exists, what this fiber does is not the kernel's.
struct Unwatched {
  Unwatched() { __tsan_ignore_thread_begin(); }
  ~Unwatched() { __tsan_ignore_thread_end(); }
};

#else

constexpr bool kSharesStacks = true;

inline void watch_scheduler(WatchedStack&) {}
inline void watch_end(WatchedStack&) {}
inline void release_order(const void*) {}
inline void acquire_order(const void*) {}
struct Unwatched {
  Unwatched() {}
  ~Unwatched() {}
};

#endif

#ifndef MRIRECON_ADDRESS_SANITIZER
inline void watch_return(WatchedStack&) {}
inline void watch_entry(WatchedStack&) {}
inline void watch_reuse(const WatchedStack&) {}
#ifndef MRIRECON_THREAD_SANITIZER
inline void watch_new(WatchedStack&, const void*, size_t) {}
inline void watch_switch(WatchedStack&, const WatchedStack&) {}
#endif
#endif

}  // namespace mrirecon::emulator
