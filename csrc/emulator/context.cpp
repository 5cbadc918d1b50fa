#include "emulator/context.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace mrirecon::emulator {
namespace {

constexpr size_t kStackBytes = 128 * 1024;  // kernels keep little; only touched pages cost memory

size_t page_bytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

Stack::Stack() {
  void* memory = mmap(nullptr, page_bytes() + kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<char*>(memory);
  mprotect(memory_, page_bytes(), PROT_NONE);
  watch_new(watched_, bottom(), kStackBytes);
}

Stack::~Stack() {
  watch_end(watched_);
  munmap(memory_, page_bytes() + kStackBytes);
}

char* Stack::bottom() const { return memory_ + page_bytes(); }
char* Stack::top() const { return bottom() + kStackBytes; }
size_t Stack::size() { return kStackBytes; }

void enter_context(Context& from) { watch_entry(from.watched); }

#ifdef MRIRECON_EMULATOR_PORTABLE_SWITCH

void prepare(Context& context, const Stack& stack, void (*entry)()) {
  watch_reuse(stack.watched());
  context.watched = stack.watched();
  getcontext(&context.registers);
  context.registers.uc_stack.ss_sp = stack.bottom();
  context.registers.uc_stack.ss_size = Stack::size();
  context.registers.uc_link = nullptr;
  makecontext(&context.registers, entry, 0);
}

void switch_context(Context& from, Context& to) {
  watch_switch(from.watched, to.watched);
  swapcontext(&from.registers, &to.registers);
  watch_return(from.watched);
}

#else

// swapcontext makes two system calls to save signal masks, which no kernel changes. This saves what
// the System V ABI asks a callee to keep (6 registers) and nothing else.
extern "C" void mrirecon_switch_stack(void** save_pointer, void* load_pointer);
asm(R"(
.text
.hidden mrirecon_switch_stack
.globl mrirecon_switch_stack
.type mrirecon_switch_stack, @function
mrirecon_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size mrirecon_switch_stack, .-mrirecon_switch_stack
)");

void prepare(Context& context, const Stack& stack, void (*entry)()) {
  watch_reuse(stack.watched());
  context.watched = stack.watched();
  constexpr int kSavedRegisters = 6;
  // As mrirecon_switch_stack leaves it: registers, the address to return to, and above it the
  // entry's own return address, which also gives the entry the alignment that a call would.
  void** pointer = reinterpret_cast<void**>(stack.top());
  *--pointer = nullptr;
  *--pointer = reinterpret_cast<void*>(entry);
  for (int i = 0; i < kSavedRegisters; ++i) *--pointer = nullptr;
  context.stack_pointer = pointer;
}

void switch_context(Context& from, Context& to) {
  watch_switch(from.watched, to.watched);
  mrirecon_switch_stack(&from.stack_pointer, to.stack_pointer);
  watch_return(from.watched);
}

#endif

}  // namespace mrirecon::emulator
