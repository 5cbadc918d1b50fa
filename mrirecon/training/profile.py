"""Record what a few training steps do, operator by operator."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile, schedule

from mrirecon.files import atomic_path

_WAIT, _WARMUP, _ACTIVE = 3, 2, 5  # the first steps allocate memory and choose algorithms


@contextmanager
def profiling(path: Path | None, device: torch.device) -> Iterator[Callable[[], None]]:
    """Profile steps 6 to 10 of what happens inside, and write a trace.

    Args:
        path: .json file, which `chrome://tracing` and Perfetto open; None profiles nothing.
        device: whose work is recorded beside the CPU's.

    Yields:
        What to call after each step.

    Raises:
        ValueError: fewer than ten steps happened; no file is written.
        OSError: the file cannot be written.
    """
    if path is None:
        yield lambda: None
        return
    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    written = []

    def write(recorded: profile) -> None:
        with atomic_path(path) as partial:
            recorded.export_chrome_trace(str(partial))
        written.append(path)

    plan = schedule(wait=_WAIT, warmup=_WARMUP, active=_ACTIVE, repeat=1)
    with profile(activities=activities, schedule=plan, on_trace_ready=write) as recorded:
        yield recorded.step
    if not written:
        n = _WAIT + _WARMUP + _ACTIVE
        raise ValueError(f"--profile: expected {n} steps or more, got fewer; {path} is not written")
