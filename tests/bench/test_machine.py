import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mrirecon.bench import machine
from mrirecon.bench.machine import Neighbours, copy_of, describe, peak_memory, peak_operations

CPU = torch.device("cpu")
HAS_PROC = Path("/proc/self/clear_refs").exists()
needs_proc = pytest.mark.skipif(not HAS_PROC, reason="only Linux tells")


def test_what_figures_depend_on_fits_into_json() -> None:
    about = describe(CPU, "mrirecon bench ssim")
    assert json.loads(json.dumps(about)) == about
    assert about["command"] == "mrirecon bench ssim"
    assert about["gpu"] is None
    assert about["versions"]["PyTorch"] == torch.__version__
    assert about["versions"]["mrirecon"]


def test_a_copy_reads_half_of_the_bytes_and_writes_half() -> None:
    assert copy_of(1000, CPU)().numel() == 500


def test_the_peak_is_what_the_product_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_SIDE", 10)
    monkeypatch.setattr(machine, "timer_of", lambda device: lambda run, repeats: 0.5)
    assert peak_operations(CPU) == 2 * 10**3 / 0.5


@needs_proc
def test_peak_memory_counts_what_is_in_use_at_once() -> None:
    x = torch.rand(2**22)  # 16 MiB
    assert peak_memory(lambda: x + 1, CPU) == pytest.approx(16, abs=2)
    assert peak_memory(lambda: (x + 1) + (x + 2), CPU) == pytest.approx(48, abs=2)
    assert peak_memory(x.sum, CPU) == pytest.approx(0, abs=1)


def test_peak_memory_is_unknown_where_the_system_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: Path, text: str) -> None:
        raise PermissionError(self)

    monkeypatch.setattr(Path, "write_text", refuse)
    assert peak_memory(lambda: None, CPU) is None


@needs_proc
def test_neighbours_take_what_others_do_and_not_what_this_process_does() -> None:
    seconds = "import time; end = time.monotonic() + 0.6\nwhile time.monotonic() < end: pass"
    with Neighbours() as alone:
        exec(seconds)
    spinning = subprocess.Popen([sys.executable, "-c", seconds.replace("0.6", "60")])
    try:
        with Neighbours() as beside:
            exec(seconds)
    finally:
        spinning.kill()
        spinning.wait()
    assert alone.share is not None
    assert beside.share is not None
    assert 0 <= alone.share <= 1  # how busy the machine is otherwise, no test can know
    assert beside.share > 0.1


def test_neighbours_are_what_is_busy_and_not_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([(0.0, 10.0, 5.0), (2.0, 13.0, 6.0)])  # [s]: the clock, all, this process
    monkeypatch.setattr(Neighbours, "_read", lambda self: next(readings))
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 2)
    with Neighbours() as neighbours:
        pass
    assert neighbours.share == (3.0 - 1.0) / (2.0 * 2)


def test_neighbours_are_unknown_where_the_system_does_not_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with Neighbours() as neighbours:
        pass
    assert neighbours.share is None
