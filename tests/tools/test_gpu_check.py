import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gpu_check import __main__ as gpu_check
from gpu_check.cases import make_cases, relative_error
from gpu_check.timing import measure, write_results


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


def test_cases_agree_with_plain_pytorch_before_they_are_timed() -> None:
    cases = make_cases("cpu", batch=2, size=24)
    assert all(relative_error(case) < 1e-6 for case in cases)
    wrong = replace(cases[0], ours=lambda: 1.01 * cases[0].plain())
    with pytest.raises(ValueError, match="apply_mask 2x8x24x24: expected an error up to"):
        measure(wrong, lambda compute: [1.0, 2.0])


def test_results_are_a_file_and_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda compute: compute)  # only on a GPU is it run
    case = make_cases("cpu", batch=1, size=24)[0]
    rows = measure(case, lambda compute: [1.0, 2.0, 4.0])
    assert [row.way for row in rows] == ["mrirecon", "plain PyTorch", "torch.compile"]
    table = write_results(rows, "Some GPU 80GB", tmp_path)
    stored = json.loads((tmp_path / "some_gpu_80gb.json").read_text())
    assert stored["device"] == "Some GPU 80GB"
    assert stored["rows"][0]["median"] == 2.0
    assert stored["rows"][0]["gb_per_s"] == pytest.approx(case.n_bytes / 2e-3 / 1e9)
    assert "| apply_mask 1x8x24x24 | mrirecon | 2.000 |" in table.read_text()
