"""Read what ptxas and nvdisasm print about kernels."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

# ptxas -v
_ENTRY = re.compile(r"Compiling entry function '(\S+)' for '(sm_\d+)'")
_STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers")
_SHARED = re.compile(r"(\d+) bytes smem")

# nvdisasm
_SECTION = re.compile(r"\s*\.section\s+\.(text|nv\.info)\.([^\s,]+),")
_WORD = re.compile(r"\.word\s+0x([0-9a-f]+)")
_INSTRUCTION = re.compile(r"\s+/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)")
_FP64 = re.compile(r"(DADD|DMUL|DFMA|DSETP|DMNMX|DMMA)\b|.*(\.F64|64H)\b")
_LOAD = re.compile(r"(LDG|LD|LDGSTS)\.")
_STORE = re.compile(r"(STG|ST)\.")
_WIDTH = re.compile(r"\.[US]?(8|16|64|128|256)\b")


@dataclass(frozen=True)
class Resources:
    """What ptxas says of one kernel on one architecture."""

    registers: int
    shared: int  # static, bytes
    stack: int  # bytes, its own and that of the functions it calls
    spills: int  # bytes stored and loaded


@dataclass(frozen=True)
class Code:
    """What the machine code of one kernel holds."""

    threads: int  # of a block, as its launch bounds say
    fp64: int  # instructions
    loads: tuple[int, ...]  # widths of accesses to global memory, bits, rising
    stores: tuple[int, ...]


def parse_resources(text: str) -> dict[tuple[str, str], Resources]:
    """Read the output of `nvcc -Xptxas -v`, by mangled name and architecture."""
    found: dict[tuple[str, str], Resources] = {}
    entry = ("", "")
    stack = spills = 0
    for line in text.splitlines():
        if match := _ENTRY.search(line):
            entry = (match[1], match[2])
            stack = spills = 0
        elif match := _STACK.search(line):
            stack += int(match[1])
            spills += int(match[2]) + int(match[3])
            if entry in found:  # a function that the kernel calls, listed after it
                kernel = found[entry]
                found[entry] = Resources(kernel.registers, kernel.shared, stack, spills)
        elif match := _USED.search(line):
            shared = _SHARED.search(line)
            size = int(shared[1]) if shared else 0
            found[entry] = Resources(int(match[1]), size, stack, spills)
    return found


def parse_code(text: str) -> dict[str, Code]:
    """Read the output of `nvdisasm`, by mangled name."""
    threads: dict[str, int] = {}
    opcodes: dict[str, list[str]] = defaultdict(list)
    kind = name = ""
    expects_threads = False
    for line in text.splitlines():
        if match := _SECTION.match(line):
            kind, name = match[1], match[2]
        elif kind == "text" and (match := _INSTRUCTION.match(line)):
            opcodes[name].append(match[1])
        elif kind == "nv.info" and "EIATTR_MAX_THREADS" in line:
            expects_threads = True
        elif expects_threads and (match := _WORD.search(line)):
            threads[name] = int(match[1], 16)
            expects_threads = False
    return {name: _summarise(listing, threads.get(name, 1024)) for name, listing in opcodes.items()}


def _summarise(opcodes: list[str], threads: int) -> Code:
    return Code(
        threads=threads,
        fp64=sum(bool(_FP64.match(opcode)) for opcode in opcodes),
        loads=_widths(opcode for opcode in opcodes if _LOAD.match(opcode)),
        stores=_widths(opcode for opcode in opcodes if _STORE.match(opcode)),
    )


def _widths(opcodes: Iterable[str]) -> tuple[int, ...]:
    matches = (_WIDTH.search(opcode) for opcode in opcodes)
    return tuple(sorted({int(match[1]) if match else 32 for match in matches}))


def short_name(demangled: str) -> str:
    """Return `compare_kernel<float, GaussianWindow>` for the full name of a kernel."""
    name = demangled.replace("(anonymous namespace)::", "").removeprefix("void ")
    depth = 0
    for position, letter in enumerate(name):  # the first bracket outside <> opens the arguments
        depth += (letter == "<") - (letter == ">")
        if letter == "(" and depth == 0:
            name = name[:position]
            break
    return re.sub(r"\b\w+::", "", name)
