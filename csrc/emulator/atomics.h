// CUDA's atomic functions, for the types that CUDA has them for, and its memory fences.
#pragma once

#include <atomic>

#include "emulator/types.h"

namespace mrirecon::emulator {

template <class T>
struct Same {  // keeps the value from naming T, so that it converts to the type of the address
  using type = T;
};
template <class T>
using SameAs = typename Same<T>::type;

// *address = update(*address); the value before. Atomic among blocks as well, which may run on
// several OS threads. For global and shared memory alike.
template <class T, class Update>
T update_atomically(T* address, const Update& update) {
  T before, after;
  __atomic_load(address, &before, __ATOMIC_RELAXED);
  do {
    after = update(before);
  } while (!__atomic_compare_exchange(address, &before, &after, true, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED));
  return before;
}

template <class T>
constexpr bool is_word = is_one_of<T, int, unsigned, unsigned long long>;

}  // namespace mrirecon::emulator

template <class T>
T atomicAdd(T* address, mrirecon::emulator::SameAs<T> value) {
  static_assert(mrirecon::emulator::is_word<T> || mrirecon::emulator::is_one_of<T, float, double>);
  return mrirecon::emulator::update_atomically(address, [&](T old) { return old + value; });
}
template <class T>
T atomicSub(T* address, mrirecon::emulator::SameAs<T> value) {
  static_assert(mrirecon::emulator::is_one_of<T, int, unsigned>);
  return mrirecon::emulator::update_atomically(address, [&](T old) { return old - value; });
}
template <class T>
T atomicExch(T* address, mrirecon::emulator::SameAs<T> value) {
  static_assert(mrirecon::emulator::is_word<T> || mrirecon::emulator::is_one_of<T, float>);
  return mrirecon::emulator::update_atomically(address, [&](T) { return value; });
}
template <class T>
T atomicMin(T* address, mrirecon::emulator::SameAs<T> value) {
  static_assert(mrirecon::emulator::is_word<T> || mrirecon::emulator::is_one_of<T, long long>);
  return mrirecon::emulator::update_atomically(address,
                                               [&](T old) { return value < old ? value : old; });
}
template <class T>
T atomicMax(T* address, mrirecon::emulator::SameAs<T> value) {
  static_assert(mrirecon::emulator::is_word<T> || mrirecon::emulator::is_one_of<T, long long>);
  return mrirecon::emulator::update_atomically(address,
                                               [&](T old) { return value > old ? value : old; });
}
template <class T>
T atomicAnd(T* address, mrirecon::emulator::SameAs<T> value) {
  static_assert(mrirecon::emulator::is_word<T>);
  return mrirecon::emulator::update_atomically(address, [&](T old) { return old & value; });
}
template <class T>
T atomicOr(T* address, mrirecon::emulator::SameAs<T> value) {
  static_assert(mrirecon::emulator::is_word<T>);
  return mrirecon::emulator::update_atomically(address, [&](T old) { return old | value; });
}
template <class T>
T atomicXor(T* address, mrirecon::emulator::SameAs<T> value) {
  static_assert(mrirecon::emulator::is_word<T>);
  return mrirecon::emulator::update_atomically(address, [&](T old) { return old ^ value; });
}
template <class T>
T atomicCAS(T* address, mrirecon::emulator::SameAs<T> compare,
            mrirecon::emulator::SameAs<T> value) {
  static_assert(mrirecon::emulator::is_word<T>);
  return mrirecon::emulator::update_atomically(address,
                                               [&](T old) { return old == compare ? value : old; });
}

// Counts 0 ... last and begins again; the other counts down.
inline unsigned atomicInc(unsigned* address, unsigned last) {
  return mrirecon::emulator::update_atomically(
      address, [&](unsigned old) { return old >= last ? 0u : old + 1; });
}
inline unsigned atomicDec(unsigned* address, unsigned last) {
  return mrirecon::emulator::update_atomically(
      address, [&](unsigned old) { return old == 0 || old > last ? last : old - 1; });
}

// A fence is a read and write of one variable, since ThreadSanitizer does not see bare fences.
inline void __threadfence() {
  static std::atomic<int> order{0};
  order.fetch_add(0, std::memory_order_acq_rel);
}
inline void __threadfence_block() { __threadfence(); }
