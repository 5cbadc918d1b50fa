"""How fast images were made, and how much memory that took."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

_RESET_PEAK = "5"  # proc_pid_clear_refs(5): sets the peak of resident memory to what it is now


@dataclass(frozen=True)
class Throughput:
    """What one source of images took in one cell.

    Attributes:
        n_slices: that were reconstructed.
        seconds: of reconstruction alone.
        peak_memory: most memory in use while it ran, [bytes]: of the GPU, or of the whole process.
        device: where it ran.
        n_threads: of the CPU.
    """

    n_slices: int
    seconds: float
    peak_memory: int
    device: str
    n_threads: int

    @property
    def images_per_second(self) -> float:
        """Slices of the test set a second."""
        return self.n_slices / self.seconds


def reset_peak_memory(device: torch.device) -> None:
    """Begin to measure the peak anew; where the system cannot, it stays that of the process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
