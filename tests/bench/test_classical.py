"""What passes between the benchmarks and BART, and what is left behind."""

import gc
from pathlib import Path

import pytest
import torch

from mrirecon.bench.suites import classical_ways
from mrirecon.bench.suites.classical import simulated
from mrirecon.bench.suites.classical_ways import Bart, read_cfl, write_cfl
from mrirecon.ops import combine_coils


def test_what_is_written_for_bart_is_read_back(tmp_path: Path) -> None:
    images = torch.randn(3, 4, 5, dtype=torch.complex64)
    write_cfl(tmp_path / "images", images)
    assert torch.equal(read_cfl(tmp_path / "images"), images[None])


def test_bart_has_the_first_axis_the_fastest(tmp_path: Path) -> None:
    write_cfl(tmp_path / "images", torch.tensor([[[1, 2, 3], [4, 5, 6]]], dtype=torch.complex64))
    numbers = torch.from_file(str(tmp_path / "images.cfl"), size=6, dtype=torch.complex64)
    assert numbers.real.tolist() == [1, 4, 2, 5, 3, 6]
    assert (tmp_path / "images.hdr").read_text() == "# Dimensions\n2 3 1 1\n"


def test_files_for_bart_go_with_what_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classical_ways, "_IN_MEMORY", tmp_path)
    bart = Bart(["version"], torch.zeros(1, 2, 4, 4, dtype=torch.complex64), threads=1)
    assert len(list(tmp_path.glob("*/0.cfl"))) == 1
    del bart
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_the_simulated_scan_is_seen_by_all_coils_together_and_measured_in_part() -> None:
    scan = simulated(coils=4, size=48)
    eps = torch.finfo(torch.float32).eps
    energy = combine_coils(scan.coil_maps, scan.coil_maps)
    torch.testing.assert_close(energy, torch.ones_like(energy), rtol=0, atol=10 * eps)
    assert 3 < scan.mask.numel() / scan.mask.sum() < 5
    assert torch.equal(scan.measured != 0, scan.mask.expand_as(scan.kspace))
