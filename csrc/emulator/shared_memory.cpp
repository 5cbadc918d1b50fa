#include "emulator/shared_memory.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include "emulator/sanitizers.h"

namespace mrirecon::emulator {
namespace {

constexpr size_t kGuardBytes = 512;  // on each side; keeps the alignment of any CUDA type
constexpr unsigned char kPoison = 0xff;

bool is_untouched(const unsigned char* guard) {
  return std::all_of(guard, guard + kGuardBytes, [](unsigned char b) { return b == kPoison; });
}

}  // namespace

unsigned char* SharedMemory::Area::begin() const { return memory.get() + kGuardBytes; }

void SharedMemory::begin_block(size_t dynamic_bytes, size_t max_static_bytes, bool is_poisoned) {
  max_static_bytes_ = max_static_bytes;
  is_poisoned_ = is_poisoned;
  for (const Area& area : areas_) allow(area.memory.get(), area.total_bytes());
  areas_.clear();
  add(nullptr, dynamic_bytes);
}

size_t SharedMemory::Area::total_bytes() const {
  return (bytes + 3 * kGuardBytes - 1) / kGuardBytes * kGuardBytes;
}

const SharedMemory::Area& SharedMemory::add(const void* key, size_t bytes) {
  const Unwatched unwatched;  // the first thread that asks makes it for all
  Area area{key, bytes, nullptr};
  const size_t total = area.total_bytes();
  auto* memory = static_cast<unsigned char*>(std::aligned_alloc(kGuardBytes, total));
  if (!memory) throw std::bad_alloc();
  std::memset(memory, kPoison, total);
  if (!is_poisoned_) std::memset(memory + kGuardBytes, 0, bytes);
  forbid(memory, kGuardBytes);
  forbid(memory + kGuardBytes + bytes, total - kGuardBytes - bytes);
  area.memory.reset(memory);
  areas_.push_back(std::move(area));
  return areas_.back();
}

void* SharedMemory::static_part(const void* key, size_t bytes) {
  size_t used = bytes;
  for (size_t i = 1; i < areas_.size(); ++i) {
    if (areas_[i].key == key) return areas_[i].begin();
    used += areas_[i].bytes;
  }
  if (used > max_static_bytes_)
    throw std::runtime_error("static shared memory: expected at most " +
                             std::to_string(max_static_bytes_) + " bytes, got " +
                             std::to_string(used));
  return add(key, bytes).begin();
}

bool SharedMemory::contains(const void* begin, size_t bytes) const {
  const auto* first = static_cast<const unsigned char*>(begin);
  return std::any_of(areas_.begin(), areas_.end(), [&](const Area& area) {
    return first >= area.begin() && first + bytes <= area.begin() + area.bytes;
  });
}

void SharedMemory::check_ends() const {
  for (const Area& area : areas_) {
    allow(area.memory.get(), area.total_bytes());
    if (is_untouched(area.memory.get()) && is_untouched(area.begin() + area.bytes)) continue;
    throw std::runtime_error(std::string("a write outside the ") + std::to_string(area.bytes) +
                             " bytes of " + (area.key ? "static" : "dynamic") + " shared memory");
  }
}

}  // namespace mrirecon::emulator
