import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from command import Command


def test_tuned_methods_are_scored_and_reconstruct(
    mrirecon: Command, trained: Path, tmp_path: Path
) -> None:
    result = mrirecon("tune-regularisation", trained, "--method", "tv", "--slices", 2,
                      "--split", "train")  # fmt: skip
    assert (result.status, result.err) == (0, "")
    file = trained / "regularisation.yaml"
    tuned = yaml.safe_load(file.read_text())
    assert set(tuned["methods"]) == {"tv"}
    assert "2 slices of split train" in tuned["tuned_on"]
    weight = tuned["methods"]["tv"]["regularisation"]
    assert f"best for tv: {weight:.3g}" in result.out

    result = mrirecon("evaluate", trained, "--method", "tv", "--method", "wavelet")
    assert (result.status, result.err) == (0, "")
    folder = trained / "evaluation"
    with (folder / "scores.csv").open() as opened:
        methods = {row["method"] for row in csv.DictReader(opened)}
    assert {"total variation", "l1-wavelet", "network"} < methods
    assert "SENSE" not in methods
    summary = json.loads((folder / "summary.json").read_text())["test_sets"][0]
    assert summary["classical"]["total variation"]["regularisation"] == weight
    assert summary["classical"]["l1-wavelet"]["regularisation"] == 0.005
    assert "total variation" in (folder / "report.html").read_text()

    scan = tmp_path / "scan.npy"
    np.save(scan, np.random.default_rng(0).normal(size=(32, 32, 2)).view(complex)[..., 0])
    images = []
    for i, said in enumerate((["--tuned", file], ["--regularisation", weight])):
        out = tmp_path / f"{i}.npy"
        result = mrirecon("reconstruct", scan, "--method", "tv", *said, "--out", out)
        assert (result.status, result.err) == (0, "")
        images.append(np.load(out))
    np.testing.assert_array_equal(*images)
    result = mrirecon("reconstruct", scan, "--method", "wavelet", "--tuned", file, "--out", "a.npy")
    assert "--tuned: expected a file with wavelet" in result.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["--method", "grappa"],
            "--method: expected one of homodyne, pocs, ",
        ),
        (["--slices", "0"], "--slices: expected 1 or more, got 0"),
    ],
)
def test_options_out_of_range_end_in_one_line(
    mrirecon: Command, tmp_path: Path, arguments: list[str], text: str
) -> None:
    result = mrirecon("tune-regularisation", tmp_path, *arguments)
    assert result.status == 1
    assert text in result.err
