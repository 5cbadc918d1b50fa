#include "emulator/async_copy.h"

#include <algorithm>
#include <cstring>

#include "emulator/sanitizers.h"

namespace mrirecon::emulator {
namespace {

constexpr unsigned char kSpoilt = 0xff;  // NaN in every floating format

}  // namespace

void AsyncCopies::start(void* to, const void* from, size_t bytes, size_t n_zeros) {
  std::memset(to, kSpoilt, bytes);
  const Unwatched unwatched;  // from here on, no memory of the kernel's
  copies_.push_back(
      {static_cast<unsigned char*>(to), static_cast<const unsigned char*>(from), bytes, n_zeros});
}

void AsyncCopies::commit() {
  const Unwatched unwatched;
  group_ends_.push_back(copies_.size());
}

void AsyncCopies::wait(size_t n_in_flight) {
  if (group_ends_.size() <= n_in_flight) return;
  const auto last = group_ends_.end() - static_cast<std::ptrdiff_t>(n_in_flight) - 1;
  const size_t n_finished = *last;
  std::for_each_n(copies_.begin(), n_finished, [](const Copy& copy) {
    std::memcpy(copy.to, copy.from, copy.bytes - copy.n_zeros);
    std::memset(copy.to + copy.bytes - copy.n_zeros, 0, copy.n_zeros);
  });
  const Unwatched unwatched;
  copies_.erase(copies_.begin(), copies_.begin() + static_cast<std::ptrdiff_t>(n_finished));
  group_ends_.erase(group_ends_.begin(), last + 1);
  for (size_t& end : group_ends_) end -= n_finished;
}

void AsyncCopies::forget() {
  copies_.clear();
  group_ends_.clear();
}

}  // namespace mrirecon::emulator
