"""Write the facts of all kernels as a page of Markdown."""

from collections.abc import Callable, Iterable

from cuda_check.gate import Note, Notes, occupancy_of
from cuda_check.measure import Facts, Kernels
from cuda_check.occupancy import MULTIPROCESSORS

_HEAD = """# CUDA kernels, as compiled

What the compiler made of each kernel; counted, not timed. `make cuda-check` fails where one gets
worse, and `make cuda-baseline` writes this page. Numbers are for {names}, in this order, one where
all are equal. Occupancy is theoretical: the share of a multiprocessor's warps that registers,
shared memory and block size allow. Loads and stores are the widths of accesses to global memory.

Compiler: {compiler}.

"""
_COLUMNS = (
    "kernel",
    "threads",
    "shared, bytes",
    "registers",
    "stack, bytes",
    "occupancy, %",
    "FP64 instructions",
    "loads, bits",
    "stores, bits",
)


def page(kernels: Kernels, notes: Notes, compiler: str) -> str:
    """Return the page, with the reasons of `notes` below the table."""
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    lines += [_row(name, kernels[name], notes.get(name, Note())) for name in sorted(kernels)]
    reasons = [
        f"- `{name}`, {topic}: {reason}."
        for name, note in sorted(notes.items())
        for topic, reason in (("FP64", note.fp64), ("occupancy", note.occupancy))
        if reason
    ]
    names = ", ".join(MULTIPROCESSORS)
    text = _HEAD.format(names=names, compiler=compiler) + "\n".join(lines) + "\n"
    return text + ("\nWhy:\n\n" + "\n".join(reasons) + "\n" if reasons else "")


def _row(name: str, by_architecture: dict[str, Facts], note: Note) -> str:
    in_order = [(name, by_architecture[name]) for name in MULTIPROCESSORS]

    def each(value: Callable[[Facts], object]) -> str:
        return _joined(value(facts) for _, facts in in_order)

    shares = (f"{100 * occupancy_of(*compiled, note):.0f}" for compiled in in_order)
    cells = [
        f"`{name}`",
        each(lambda facts: facts.threads),
        each(lambda facts: facts.shared + note.dynamic_shared),
        each(lambda facts: facts.registers),
        each(lambda facts: facts.stack),
        _joined(shares),
        each(lambda facts: facts.fp64),
        _widths(facts.loads for facts in by_architecture.values()),
        _widths(facts.stores for facts in by_architecture.values()),
    ]
    return f"| {' | '.join(cells)} |"


def _joined(values: Iterable[object]) -> str:
    texts = [str(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else " ".join(texts)


def _widths(sets: Iterable[tuple[int, ...]]) -> str:
    return ", ".join(str(width) for width in sorted(set().union(*sets)))
