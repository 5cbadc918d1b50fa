"""Compare the facts of kernels with the baseline, and name what became worse."""

from dataclasses import dataclass

from cuda_check.measure import Facts, Kernels
from cuda_check.occupancy import occupancy

_UPDATE = "look at its facts, then run `make cuda-baseline`"
_LEAST_OCCUPANCY = 0.5  # of float kernels, on _CHECKED
_CHECKED = ("sm_80", "sm_90")


@dataclass(frozen=True)
class Note:
    """What the sources of a kernel do not show; from `notes.toml`."""

    fp64: str = ""  # why a float kernel computes in double
    occupancy: str = ""  # why less than half of the warps are enough
    dynamic_shared: int = 0  # of a launch of the usual size, bytes


Notes = dict[str, Note]


def occupancy_of(architecture: str, facts: Facts, note: Note) -> float:
    """Return the theoretical occupancy, with the dynamic shared memory that the note names."""
    return occupancy(
        architecture,
        threads=facts.threads,
        registers=facts.registers,
        shared_bytes=facts.shared + note.dynamic_shared,
    )


def faults(measured: Kernels, baseline: Kernels, notes: Notes) -> list[str]:
    """Return one line for each kernel and architecture that must not land."""
    found = [f"{name}: in the notes, but no kernel" for name in notes if name not in measured]
    found += [f"{name}: no longer exists; {_UPDATE}" for name in baseline if name not in measured]
    for name, by_architecture in measured.items():
        note = notes.get(name, Note())
        if name not in baseline:
            found.append(f"{name}: not in the baseline; {_UPDATE}")
        for architecture, now in by_architecture.items():
            reasons = _faults_alone(name, architecture, now, note)
            before = baseline.get(name, {}).get(architecture)
            if before:
                reasons += _faults_against(architecture, now, before, note)
            found += [f"{name} on {architecture}: {reason}" for reason in reasons]
        if note.fp64 and not any(now.fp64 for now in by_architecture.values()):
            found.append(f"{name}: the notes excuse double arithmetic that it does not do")
    return found


def _faults_alone(name: str, architecture: str, now: Facts, note: Note) -> list[str]:
    found = []
    is_double = "double" in name
    if now.spills:
        found.append(f"spills {now.spills} bytes of registers")
    if now.fp64 and not is_double and not note.fp64:
        found.append(f"{now.fp64} double instructions in a float kernel, without a note")
    share = occupancy_of(architecture, now, note)
    must_fill = architecture in _CHECKED and not is_double and not note.occupancy
    if must_fill and share < _LEAST_OCCUPANCY:
        found.append(f"occupancy {share:.0%}, less than half without a note")
    return found


def _faults_against(architecture: str, now: Facts, before: Facts, note: Note) -> list[str]:
    found = []
    share, share_before = (occupancy_of(architecture, facts, note) for facts in (now, before))
    if share < share_before:
        found.append(f"occupancy fell from {share_before:.0%} to {share:.0%}")
    if now.stack > before.stack:
        found.append(f"stack grew from {before.stack} to {now.stack} bytes")
    if note.fp64 and now.fp64 > before.fp64:
        found.append(f"double instructions grew from {before.fp64} to {now.fp64}")
    for kind in ("loads", "stores"):
        widths, widths_before = getattr(now, kind), getattr(before, kind)
        if _is_narrower(widths, widths_before):
            found.append(f"{kind} of {widths} bits, before {widths_before}")
    return found


def _is_narrower(widths: tuple[int, ...], before: tuple[int, ...]) -> bool:
    """A new width below the widest means that some access was split."""
    widest = max(before, default=0)
    return any(width < widest and width not in before for width in widths) or (
        max(widths, default=0) < widest
    )
