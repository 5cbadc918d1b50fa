"""What figures depend on: the machine, its peak, who else uses it, and memory."""

import ctypes
import multiprocessing
import os
import platform
import re
import resource
import time
from pathlib import Path
from typing import Any

import torch

from mrirecon import native
from mrirecon.bench.case import Compute
from mrirecon.bench.peers import PEERS, version_of
from mrirecon.bench.timing import timer_of

QUIET = 0.05  # share of the machine that others may take before a figure is called disturbed
_SIDE = 2048  # of the matrices whose product tells the peak
_BUSY = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal: columns of /proc/stat


def describe(device: torch.device, command: str) -> dict[str, Any]:
    """Return processor, GPU, versions, allocator and command; every value fits into JSON."""
    gpu = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    return {
        "command": command,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "simd": native.simd_level(),
        "gpu": gpu,
        "system": " ".join(filter(None, (platform.system(), *platform.libc_ver()))),
        "python": platform.python_version(),
        "compiler": native.compiler(),
        "versions": {peer: text for peer in PEERS if (text := version_of(peer))},
    }


def _processor() -> str:
    """Name the processor as the system does, with family and model where it has them."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return platform.processor() or platform.machine()
    facts = dict(re.findall(r"^(.*?)\s*:\s*(.*)$", path.read_text(), flags=re.MULTILINE))
    name = facts.get("model name", platform.machine())
    family, model = facts.get("cpu family"), facts.get("model")
    return f"{name} (family {family}, model {model})" if family and model else name


def peak_operations(device: torch.device) -> float:
    """Measure the most multiplications and additions a second: those of a product of matrices."""
    a, b = (torch.rand(_SIDE, _SIDE, device=device) for _ in range(2))
    out, timer = torch.empty_like(a), timer_of(device)
    torch.mm(a, b, out=out)
    best = min(timer(lambda: torch.mm(a, b, out=out), 1) for _ in range(5))
    return 2 * float(_SIDE) ** 3 / best


def copy_of(n_bytes: int, device: torch.device) -> Compute:
    """Return what copies memory so that `n_bytes` are moved, half read and half written."""
    size = max(1, n_bytes // 2)
    source, target = (torch.zeros(size, dtype=torch.uint8, device=device) for _ in range(2))
    return lambda: target.copy_(source)


class Neighbours:
    """Measures what other processes take of the processor while something runs.

    Attributes:
        share: of all cores, 0 to 1; None where the system does not tell.
    """

    share: float | None = None

    def __enter__(self) -> "Neighbours":
        self._start = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        end = self._read()
        if self._start is None or end is None:
            return
        wall, busy, own = (after - before for after, before in zip(end, self._start, strict=True))
        self.share = max(0.0, busy - own) / (wall * (os.cpu_count() or 1))

    @staticmethod
    def _read() -> tuple[float, float, float] | None:
        """Return the time, and what all and this process have used of the processor [s]."""
        path = Path("/proc/stat")
        if not path.exists():
            return None
        columns = path.read_text().split("\n", 1)[0].split()[1:]
        busy = sum(int(columns[i]) for i in _BUSY) / os.sysconf("SC_CLK_TCK")
        who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        own = sum(sum(resource.getrusage(each)[:2]) for each in who)
        own += sum(_processor_seconds(child.pid) for child in multiprocessing.active_children())
        return time.monotonic(), busy, own


def _processor_seconds(process: int | None) -> float:
    """Return what a child that still runs has used: RUSAGE_CHILDREN counts those that ended."""
    text = Path(f"/proc/{process}/stat").read_text()
    fields = text.rpartition(")")[2].split()  # proc(5): the name before may hold anything
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def peak_memory(run: Compute, device: torch.device) -> float | None:
    """Return how far memory rises above what was in use while `run` runs [MiB].

    On a CPU the resident memory of the process, so that what libraries other than torch allocate
    counts; freed memory that the C library keeps is returned first. None where it cannot be read.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        in_use = torch.cuda.memory_allocated(device)
        run()
        return (torch.cuda.max_memory_allocated(device) - in_use) / 2**20
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak starts anew
    except (AttributeError, OSError):
        return None
    before = _resident("VmRSS")
    kept = run()
    del kept
    return _resident("VmHWM") - before


def _resident(key: str) -> float:
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{key}:\s+(\d+) kB", status, flags=re.MULTILINE)
    assert found is not None, f"{key} in /proc/self/status"
    return int(found[1]) / 1024
