// Stacks, and the switch of one OS thread from one stack to another.
#pragma once

#include <cstddef>

#include "emulator/sanitizers.h"

#if !defined(__x86_64__) || defined(MRIRECON_EMULATOR_UCONTEXT)
#define MRIRECON_EMULATOR_PORTABLE_SWITCH
#include <ucontext.h>
#endif

namespace mrirecon::emulator {

// Memory for one fiber's stack; the page below it is protected, so that an overflow is a crash.
class Stack {
 public:
  Stack();
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  char* bottom() const;  // lowest usable byte
  char* top() const;     // one past the highest
  static size_t size();
  const WatchedStack& watched() const { return watched_; }

 private:
  char* memory_;
  WatchedStack watched_;
};

// Where a suspended fiber, or the scheduler, goes on.
struct Context {
  WatchedStack watched;
#ifdef MRIRECON_EMULATOR_PORTABLE_SWITCH
  ucontext_t registers;
#else
  void* stack_pointer = nullptr;  // the callee-saved registers are on the stack
#endif
};

// Let `context` begin at `entry`, which must never return, on an unused `stack`.
void prepare(Context& context, const Stack& stack, void (*entry)());

// The first thing that `entry` calls. `from`: the context that began it.
void enter_context(Context& from);

// Suspend the caller in `from` and go on in `to`.
void switch_context(Context& from, Context& to);

}  // namespace mrirecon::emulator
