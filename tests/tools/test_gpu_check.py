import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from gpu_check import __main__ as gpu_check

from mrirecon.bench import SUITES, Options, Setup, measure_all


def test_says_that_there_is_no_gpu_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu_check.main() == 2
    assert "gpu-check: no GPU that torch" in capsys.readouterr().out


def test_says_that_the_library_has_no_kernels_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr("mrirecon.native.cuda_architectures", list)
    assert gpu_check.main() == 2
    assert "MRIRECON_CUDA=ON pip install" in capsys.readouterr().out


def test_a_command_that_takes_too_long_is_ended(capfd: pytest.CaptureFixture[str]) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert gpu_check._verdict("racecheck", sleep, 0.2) == "not finished in 0 s"
    assert gpu_check._verdict("tests", sleep, 0.2) == "failed: not finished in 0 s"
    assert gpu_check._verdict("tests", [sys.executable, "-c", ""], 60) == "passed"
    assert (
        gpu_check._verdict("tests", [sys.executable, "-c", "raise SystemExit(1)"], 60) == "failed"
    )


def test_everything_has_an_end_before_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/" + name)
    limits = {name: limit(gpu_check._SECONDS) for name, _, limit in gpu_check._checks()}
    assert list(limits) == ["tests", "memcheck", "racecheck", "initcheck"]
    assert limits["tests"] == gpu_check._SECONDS - gpu_check._TIMING_SECONDS
    assert limits["memcheck"] == 60
    assert gpu_check._SECONDS < 600


def shares_of(suites: Iterator[gpu_check.Command]) -> dict[str, float]:
    return {name: 60 * float(command[-1]) for name, command, _ in suites}


def test_what_there_is_no_time_for_is_named() -> None:
    cases = SUITES["masking"](Setup(small=True))
    results = list(measure_all(cases, Options(), end=time.monotonic()))
    notes = {way.note for result in results for way in result.ways}
    assert notes == {"left out: no time was left"}


def test_suites_share_the_time_that_is_left() -> None:
    """The suites that come last have time too, even where those before took all of theirs."""
    end = time.monotonic() + 150
    shares = shares_of(gpu_check._timings(Path("results"), end))
    assert list(shares) == [suite for suite in gpu_check._SUITES if suite in SUITES]
    assert {"masking", "ssim"} <= shares.keys()
    left = 150 - gpu_check._LAST_CASE_SECONDS
    first, *_, last = shares.values()
    assert first == pytest.approx(left / len(shares), abs=1)
    assert last == pytest.approx(left, abs=1)
    assert set(shares_of(gpu_check._timings(Path("results"), time.monotonic())).values()) == {0}


def test_suites_run_on_the_gpu_and_verdicts_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=int("ssim" in command))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU 80GB")
    monkeypatch.setattr("mrirecon.native.cuda_architectures", lambda: ["sm_90"])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(gpu_check, "_ROOT", tmp_path)
    folder = tmp_path / "benchmarks" / "results" / "some_gpu_80gb"
    assert gpu_check.main() == 1
    stored = json.loads((folder / "checks.json").read_text())
    assert stored["device"] == "Some GPU 80GB"
    assert stored["verdicts"]["tests"] == "passed"
    assert stored["verdicts"]["ssim"] == "failed"
    assert stored["verdicts"]["masking"] == "passed"
    (ssim,) = (command for command in commands if "ssim" in command)
    assert ssim[1:5] == ["-m", "mrirecon", "bench", "ssim"]
    assert ssim[ssim.index("--device") + 1] == "cuda"
    assert ssim[ssim.index("--out") + 1] == str(folder)
    assert "gpu-check: ssim (failed); results are in" in capsys.readouterr().out


def test_nothing_is_timed_where_a_test_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr("mrirecon.native.cuda_architectures", lambda: ["sm_90"])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    assert gpu_check.main() == 1
    assert "gpu-check: tests (failed); nothing was timed" in capsys.readouterr().out
