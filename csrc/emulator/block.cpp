#include "emulator/block.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <sstream>
#include <utility>

#include "emulator/limits.h"

namespace mrirecon::emulator {
namespace {

std::string text_of(uint3 index) {
  return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
         std::to_string(index.z) + ")";
}

std::string text_of(Site site) { return std::string(site.file) + ":" + std::to_string(site.line); }

uint3 index_of(unsigned rank, dim3 size) {
  return {rank % size.x, rank / size.x % size.y, rank / size.x / size.y};
}

bool has_lane(unsigned lanes, unsigned lane) { return lanes >> lane & 1; }

}  // namespace

Block& Block::current() {
  static thread_local Block block;
  return block;
}

void Block::run(const Launch& launch, uint3 index) {
  const Unwatched unwatched;  // the scheduler, not the kernel
  watch_scheduler(scheduler_.watched);
  begin(launch, index);
  while (n_finished_ < threads_.size()) {
    const bool goes_on = launch.settings.order == Order::random ? step_lanes() : finish_warps();
    if (!fault_.empty()) fail(running_, fault_);
    if (!goes_on && n_finished_ < threads_.size()) release_barrier();
  }
  try {
    shared_.check_ends();
  } catch (const std::runtime_error& error) {
    fail(nullptr, error.what());
  }
}

void Block::begin(const Launch& launch, uint3 index) {
  launch_ = &launch;
  index_ = index;
  blockIdx = index;
  blockDim = launch.block;
  gridDim = launch.grid;
  n_finished_ = 0;
  fault_.clear();
  shared_.begin_block(launch.dynamic_bytes, max_static_bytes(launch), launch.settings.is_poisoned);
  random_.seed(launch.settings.seed + index.x + 7919 * index.y + 104729 * index.z);

  const unsigned n_threads = launch.block.x * launch.block.y * launch.block.z;
  for (Thread& thread : threads_)  // a fault left them in the middle of their work
    if (kSharesStacks && thread.stack) free_stacks_.push_back(std::move(thread.stack));
  threads_.resize(n_threads);
  if (!kSharesStacks)  // a race of thread 0 of two blocks is one of two stacks
    for (unsigned rank = 1; rank < n_threads; ++rank)
      std::swap(threads_[rank - 1].stack, threads_[rank].stack);
  order_.resize(n_threads);
  std::iota(order_.begin(), order_.end(), 0u);
  if (launch.settings.order == Order::reverse) std::reverse(order_.begin(), order_.end());
  for (unsigned rank = 0; rank < n_threads; ++rank) {
    threads_[rank].rank = rank;
    threads_[rank].index = index_of(rank, launch.block);
    threads_[rank].state = State::ready;
    threads_[rank].copies.forget();
    threads_[rank].n_barriers = 0;
    threads_[rank].has_begun = false;
  }
}

// In the random order every lane takes a step, then every warp operation.
bool Block::step_lanes() {
  std::shuffle(order_.begin(), order_.end(), random_);
  resume_ready(order_.begin(), order_.end());
  bool goes_on = false;
  for (size_t first = 0; first < threads_.size(); first += warpSize)
    goes_on |= fault_.empty() && release_collectives(&threads_[first]);
  return goes_on;
}

// In the others a warp runs ahead of the rest until its lanes wait for the block, as on a GPU one
// may: nothing but a barrier of the block holds it.
bool Block::finish_warps() {
  for (auto first = order_.begin(); first != order_.end() && fault_.empty();) {
    const unsigned warp = *first / warpSize * warpSize;
    const auto last = first + std::min<size_t>(warpSize, threads_.size() - warp);
    do resume_ready(first, last);
    while (fault_.empty() && release_collectives(&threads_[warp]));
    first = last;
  }
  return false;
}

void Block::resume_ready(Ranks first, Ranks last) {
  for (; first != last && fault_.empty(); ++first)
    if (threads_[*first].state == State::ready) resume(threads_[*first]);
}

void Block::resume(Thread& thread) {
  if (!thread.stack) {
    if (free_stacks_.empty()) free_stacks_.push_back(std::make_unique<Stack>());
    thread.stack = std::move(free_stacks_.back());
    free_stacks_.pop_back();
  }
  if (!thread.has_begun) prepare(thread.context, *thread.stack, enter_thread);
  thread.has_begun = true;
  running_ = &thread;
  threadIdx = thread.index;
  switch_context(scheduler_, thread.context);
  if (thread.state == State::finished) {
    ++n_finished_;
    if (kSharesStacks) free_stacks_.push_back(std::move(thread.stack));
  }
}

void Block::enter_thread() {
  Block& block = current();
  enter_context(block.scheduler_);
  try {
    block.launch_->body();
    if (!block.copies().are_finished())
      throw std::runtime_error("exited before it had waited for its asynchronous copies");
  } catch (const std::exception& error) {
    block.fault_ = error.what();  // thrown on by the scheduler, whose stack has callers
  }
  release_order(block.launch_);
  block.suspend(State::finished);
}

void Block::suspend(State state) {
  running_->state = state;
  switch_context(running_->context, scheduler_);
}

int Block::wait_for_block(Site site, bool vote) {
  running_->site = site;
  running_->vote = vote;
  // Two tokens in turn, since a thread may reach the next barrier before another leaves this one.
  const char* token = &barrier_tokens_[running_->n_barriers++ % 2];
  release_order(token);
  suspend(State::at_barrier);
  acquire_order(token);
  return n_votes_;
}

void Block::start_copy(void* to_shared, const void* from, size_t bytes, size_t n_zeros) {
  const auto fault = [](const std::string& text) {
    throw std::runtime_error("asynchronous copy: " + text);
  };
  if ((bytes != 4 && bytes != 8 && bytes != 16) || n_zeros > bytes)
    fault("expected 4, 8 or 16 bytes, got " + std::to_string(bytes) + " with " +
          std::to_string(n_zeros) + " zeros");
  if ((reinterpret_cast<uintptr_t>(to_shared) | reinterpret_cast<uintptr_t>(from)) % bytes != 0)
    fault("expected addresses aligned to its " + std::to_string(bytes) + " bytes");
  if (!shared_.contains(to_shared, bytes)) fault("expected a destination in shared memory");
  copies().start(to_shared, from, bytes, n_zeros);
}

void Block::wait_for_lanes(Collective& collective) {
  if (!has_lane(collective.lanes, lane()))
    throw std::runtime_error("lane " + std::to_string(lane()) +
                             " is not in the mask of its own warp operation");
  running_->collective = &collective;
  // Only __syncwarp orders memory; those that it joins share the token of the first of them.
  const unsigned first = running_->rank - lane() + __builtin_ctz(collective.lanes);
  const void* token = &threads_[first].rank;
  const bool orders_memory = collective.kind == Collective::Kind::sync;
  if (orders_memory) release_order(token);
  suspend(State::in_collective);
  if (orders_memory) acquire_order(token);
}

// A lane goes on when every lane of its mask that has not exited waits in the same operation.
bool Block::is_complete(const Thread* warp, unsigned n_lanes, const Thread& thread) const {
  const Collective& mine = *thread.collective;
  for (unsigned lane = 0; lane < n_lanes; ++lane) {
    const Thread& other = warp[lane];
    if (!has_lane(mine.lanes, lane) || other.state == State::finished) continue;
    if (other.state != State::in_collective || other.collective->kind != mine.kind ||
        other.collective->lanes != mine.lanes)
      return false;
  }
  return true;
}

void Block::resolve(const Thread* warp, unsigned n_lanes, const Thread& thread) const {
  Collective& mine = *thread.collective;
  const auto takes_part = [&](unsigned lane) {
    return lane < n_lanes && has_lane(mine.lanes, lane) && warp[lane].state != State::finished;
  };
  if (mine.kind == Collective::Kind::shuffle) {
    if (!takes_part(mine.source))
      fail(&thread, "a shuffle reads lane " + std::to_string(mine.source) +
                        ", which does not take part in it");
    std::memcpy(mine.result, warp[mine.source].collective->value, Collective::kMaxBytes);
  } else if (mine.kind == Collective::Kind::ballot) {
    unsigned votes = 0;
    for (unsigned lane = 0; lane < n_lanes; ++lane)
      if (takes_part(lane)) votes |= unsigned{warp[lane].collective->value[0] != 0} << lane;
    std::memcpy(mine.result, &votes, sizeof(votes));
  } else if (mine.kind == Collective::Kind::match) {
    unsigned equal = 0;
    for (unsigned lane = 0; lane < n_lanes; ++lane)
      if (takes_part(lane) &&
          !std::memcmp(warp[lane].collective->value, mine.value, Collective::kMaxBytes))
        equal |= 1u << lane;
    std::memcpy(mine.result, &equal, sizeof(equal));
  }
}

bool Block::release_collectives(Thread* warp) {
  const auto begin = static_cast<size_t>(warp - threads_.data());
  const auto n_lanes = static_cast<unsigned>(std::min<size_t>(warpSize, threads_.size() - begin));
  std::vector<Thread*> released;
  for (unsigned lane = 0; lane < n_lanes; ++lane) {
    if (warp[lane].state != State::in_collective) continue;
    if (!is_complete(warp, n_lanes, warp[lane])) continue;
    resolve(warp, n_lanes, warp[lane]);
    released.push_back(&warp[lane]);
  }
  for (Thread* thread : released) thread->state = State::ready;
  return !released.empty();
}

void Block::release_barrier() {
  const Thread* first = nullptr;  // that waits at the barrier
  for (const Thread& thread : threads_) {
    if (thread.state == State::in_collective)
      fail(&thread, "deadlock: a warp operation waits for lanes that do not enter it");
    if (thread.state == State::at_barrier && !first) first = &thread;
  }
  for (Thread& thread : threads_) {
    if (thread.state == State::finished)
      fail(&thread,
           "exited before the __syncthreads() at " + text_of(first->site) + ", where others wait");
    if (thread.site.line != first->site.line || std::strcmp(thread.site.file, first->site.file))
      fail(&thread, "divergent barrier: it waits at " + text_of(thread.site) + ", thread " +
                        text_of(first->index) + " at " + text_of(first->site));
  }
  n_votes_ = 0;
  for (Thread& thread : threads_) {
    n_votes_ += thread.vote;
    thread.state = State::ready;
  }
}

void Block::fail(const Thread* thread, const std::string& text) const {
  const std::string place = "block " + text_of(index_);
  throw Fault(launch_->kernel,
              (thread ? place + ", thread " + text_of(thread->index) : place) + ": " + text);
}

}  // namespace mrirecon::emulator
