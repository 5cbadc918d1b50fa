"""`mrirecon evaluate` with several runs, a grid and classical methods, stopped and started."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import Command
from PIL import Image

GRID = """
sampling:
  - {strategy: equispaced, acceleration: [2, 4]}
  - {kind: radial, n_readouts: 12, n_samples: 64}
methods: [wavelet]
"""


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    path = tmp_path / "grid.yaml"
    path.write_text(GRID)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_run_and_method_is_scored_in_every_cell(
    mrirecon: Command, trained: Path, grid: Path, tmp_path: Path
) -> None:
    other, out = tmp_path / "other", tmp_path / "table"
    shutil.copytree(trained, other)
    arguments = (trained, other, "--grid", grid, "--out", out, "--slices", 1)
    result = mrirecon("evaluate", *arguments)
    assert result.status == 0, result.err
    rows = rows_of(out / "scores.csv")
    assert {row["cell"] for row in rows} == {
        "equispaced, 2x",
        "equispaced, 4x",
        "radial, 12 spokes",
    }
    for cell in {row["cell"] for row in rows}:
        own = [row for row in rows if row["cell"] == cell]
        methods = {(row["method"], row["run"]) for row in own}
        first = "gridding" if cell.startswith("radial") else "zero-filled"
        assert methods == {
            (first, ""),
            ("data consistency alone", ""),
            ("l1-wavelet", ""),
            ("network (run)", "run"),
            ("network (other)", "other"),
            ("network + data consistency (run)", "run"),
            ("network + data consistency (other)", "other"),
        }
        assert len(own) == len(methods)  # one person in the split, one slice
    by_method = {row["method"]: row for row in rows if row["cell"] == "equispaced, 4x"}
    assert by_method["network (run)"]["ssim"] == by_method["network (other)"]["ssim"]
    assert float(by_method["network (run)"]["acceleration"]) == pytest.approx(4, abs=0.1)
    assert float(by_method["network (run)"]["scan_time_s"]) == pytest.approx(8 * 10e-3)
    assert len(rows_of(out / "timing.csv")) == 3 * 4
    assert "<html" in (out / "report.html").read_text()

    before = (out / "scores.csv").read_bytes()
    parts = sorted((out / "parts").iterdir())
    for path in parts[::2]:  # as if stopped in the middle
        path.unlink()
    assert mrirecon("evaluate", *arguments).status == 0
    assert (out / "scores.csv").read_bytes() == before


def test_classical_methods_are_scored_without_a_run(
    mrirecon: Command, trained: Path, grid: Path, tmp_path: Path
) -> None:
    out = tmp_path / "table"
    store = tmp_path / "store.h5"
    assert trained.exists()
    arguments = ("--store", store, "--grid", grid, "--slices", 1, "--protocol", "reconresnet")
    assert "--out: expected a folder" in mrirecon("evaluate", *arguments).err
    result = mrirecon("evaluate", *arguments, "--out", out)
    assert result.status == 0, result.err
    rows = rows_of(out / "scores.csv")
    assert {row["run"] for row in rows} == {""}
    assert all(float(row["uqi"]) <= 1 and float(row["nrmse"]) > 0 for row in rows)
    assert {row["ms_ssim"] for row in rows} == {""}


def test_what_is_missing_or_ambiguous_is_said(
    mrirecon: Command, trained: Path, tmp_path: Path
) -> None:
    assert "--grid: expected a grid where no run" in mrirecon("evaluate").err
    result = mrirecon("evaluate", trained, "--metric", "vif")
    assert "metric: expected one of ssim" in result.err
    grid = tmp_path / "grid.yaml"
    grid.write_text(GRID)
    result = mrirecon("evaluate", "--grid", grid, "--out", tmp_path / "x")
    assert "--store: expected one, since the runs do not name a single one, got none" in result.err


def test_regions_and_warnings_reach_the_tables_and_the_terminal(
    mrirecon: Command, trained: Path, tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    for person in range(6):
        path = masks / f"person_{person}" / f"person_{person}_1.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(np.full((32, 32), 255, np.uint8)).save(path)
    result = mrirecon("evaluate", trained, "--region", f"lesion={masks}", "--region", "background")
    assert result.status == 0, result.err
    assert "K-space is simulated from images. Scores on measured k-space" in result.out
    folder = trained / "evaluation"
    rows = rows_of(folder / "scores.csv")
    assert {row["region"] for row in rows} == {"image", "lesion", "background"}
    strata = {row["stratum"] for row in rows_of(folder / "statistics.csv")}
    assert strata == {"all", "with lesion", "without lesion"}
    (summary,) = json.loads((folder / "summary.json").read_text())["test_sets"]
    assert "simulated" in {warning["kind"] for warning in summary["warnings"]}
    assert summary["checks"]["zero-filled"]["change"] == 0
    for warning in summary["warnings"]:
        assert warning["text"] in result.out


def test_a_store_without_a_test_split_names_the_option_and_its_splits(
    mrirecon: Command, pictures: Path, grid: Path, tmp_path: Path
) -> None:
    """The split is a default that nobody typed, so the error tells how to choose another."""
    store, out = tmp_path / "store.h5", tmp_path / "table"
    assert mrirecon("prepare", pictures, "--out", store, "--fractions", ".5", ".5", "0").status == 0
    result = mrirecon("evaluate", "--store", store, "--grid", grid, "--out", out)
    assert result.status == 1
    assert f"--split: expected one in {store} (train, val), got 'test'" in result.err
    assert not out.exists()
