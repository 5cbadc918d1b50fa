import json
import math
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gpu_check import __main__ as gpu_check
from gpu_check.cases import Case, Way, make_cases, relative_error
from gpu_check.nufft_cases import cases_of, make_nufft_cases
from gpu_check.timing import Deadline, measure, measure_all, write_results
from nufft_workloads import Workload
from torch import Tensor

from mrirecon.reference import nufft as direct


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


def ours_of(case: Case) -> Way:
    prepare = case.ways["mrirecon"]
    assert prepare is not None
    return prepare()


def three_times(compute: Callable[[], Tensor]) -> list[float]:
    return [1.0, 2.0, 4.0]


def test_cases_agree_with_plain_pytorch() -> None:
    for case in make_cases("cpu", batch=2, size=24):
        assert relative_error(ours_of(case), case.expected()) < 1e-6


def test_a_wrong_result_is_not_timed() -> None:
    case = make_cases("cpu", batch=2, size=24)[0]
    case.ways["mrirecon"] = lambda: Way(case.expected, scale=1.01)
    with pytest.raises(ValueError, match="apply_mask 2x8x24x24: expected an error up to"):
        measure(case, three_times)


def test_packages_that_are_not_installed_or_fail_have_a_row_that_says_so(tmp_path: Path) -> None:
    def fail() -> Way:
        raise RuntimeError("out of memory\nand more")

    case = make_cases("cpu", batch=1, size=24)[0]
    case.ways.update({"torch.compile": fail, "cupy": None})
    rows = measure(case, three_times)
    assert [row.note for row in rows] == [
        "",
        "",
        "failed: RuntimeError: out of memory",
        "not installed",
    ]
    table = write_results(rows, "A GPU", tmp_path).read_text()
    assert "| apply_mask 1x8x24x24 | cupy | not installed |  |  |  |" in table


def test_cupy_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", np)  # whose functions have its names
    cases = make_cases("cpu", batch=2, size=24)
    ways = {case.name.split(" ")[0]: case.ways.get("cupy") for case in cases}
    assert [name for name, prepare in ways.items() if prepare] == [
        "apply_mask",
        "enforce_consistency",
        "expand_coils",
        "combine_coils",
    ]
    for case in cases[:4]:
        prepare = case.ways["cupy"]
        assert prepare is not None
        assert relative_error(prepare(), case.expected()) < 1e-6


def small_work(ndim: int = 2, *, has_maps: bool = True) -> Workload:
    shape = (12, 10, 8)[:ndim]
    coords = (torch.rand(60, ndim, dtype=torch.float64) - 0.5) * torch.tensor(shape)
    return Workload("small", "small", shape, coords, batch=1, coils=3, has_maps=has_maps)


@pytest.mark.parametrize("has_maps", [False, True])
def test_nufft_cases_are_as_accurate_as_asked_for(has_maps: bool) -> None:
    cases = cases_of(small_work(has_maps=has_maps), "cpu")
    names = ["nufft forward, small", "nufft adjoint, small", "nufft normal, small"]
    assert [case.name for case in cases] == [*names, "density, small"]
    for case in cases:
        (row,) = (row for row in measure(case, three_times) if not row.note)
        assert row.way == "mrirecon"
        assert row.error is not None
        assert row.error < 3e-3


def test_nufft_cases_take_the_benchmarks_workloads() -> None:
    names = [case.name for case in make_nufft_cases("cpu", ("batch",))]
    assert names[0].startswith("nufft forward, 256 x 256")


class ExactPlan:
    """Has the calls of cufinufft.Plan, and sums directly."""

    def __init__(
        self,
        kind: int,
        shape: tuple[int, ...],
        n_images: int,
        *,
        eps: float,
        isign: int,
        dtype: str,
    ) -> None:
        assert (kind, isign) in ((2, -1), (1, 1))
        assert dtype == "complex64"
        self.is_forward, self.shape, self.n_images = kind == 2, shape, n_images

    def setpts(self, *angles: Tensor) -> None:
        sizes = torch.tensor(self.shape)
        self.coords = torch.stack(angles, -1).double() / (2 * math.pi) * sizes

    def execute(self, operand: Tensor, out: Tensor) -> None:
        assert operand.is_contiguous()
        assert out.is_contiguous()
        assert operand.ndim == (len(self.shape) if self.is_forward else 1) + (self.n_images > 1)
        scale, operand = math.sqrt(math.prod(self.shape)), operand.to(torch.complex128)
        if self.is_forward:
            out.copy_(scale * direct.nufft(operand, self.coords))
        else:
            out.copy_(scale * direct.nufft_adjoint(operand, self.coords, self.shape))


@pytest.mark.parametrize("coils", [1, 3])
@pytest.mark.parametrize("has_maps", [False, True])
def test_cufinufft_is_called_with_the_conventions_of_this_package(
    has_maps: bool, coils: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = SimpleNamespace(Plan=ExactPlan, __spec__="a package")
    monkeypatch.setitem(sys.modules, "cufinufft", package)
    for case in cases_of(replace(small_work(has_maps=has_maps), coils=coils), "cpu")[:3]:
        prepare = case.ways["cufinufft"]
        assert prepare is not None
        assert relative_error(prepare(), case.expected()) < 1e-5


def test_what_there_is_no_time_for_is_named() -> None:
    case = make_cases("cpu", batch=1, size=24)[0]
    case.ways.pop("torch.compile")
    rows = measure_all([case], three_times, Deadline.after(0))
    assert {row.note for row in rows} == {"left out: no time was left"}
    rows = measure_all([case], three_times, Deadline.after(60))
    assert rows[0].median == 2.0


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
    deadline = Deadline.after(540)
    limits = {name: limit(deadline) for name, _, limit in gpu_check._commands()}
    assert list(limits) == ["tests", "memcheck", "racecheck", "initcheck"]
    assert 330 < limits["tests"] <= 340
    assert limits["memcheck"] == 60
    assert gpu_check._SECONDS < 600


def test_results_are_a_file_and_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda compute: compute)  # only on a GPU is it run
    case = make_cases("cpu", batch=1, size=24)[0]
    rows = measure(case, three_times)
    assert [row.way for row in rows] == ["mrirecon", "plain PyTorch", "torch.compile", "cupy"]
    table = write_results(rows, "Some GPU 80GB", tmp_path, ["memcheck: passed"])
    stored = json.loads((tmp_path / "some_gpu_80gb.json").read_text())
    assert stored["device"] == "Some GPU 80GB"
    assert stored["notes"] == ["memcheck: passed"]
    assert stored["rows"][0]["median"] == 2.0
    assert stored["rows"][0]["gb_per_s"] == pytest.approx(case.n_bytes / 2e-3 / 1e9)
    assert "| apply_mask 1x8x24x24 | mrirecon | 2.000 |" in table.read_text()
    assert "- memcheck: passed" in table.read_text()
