"""What the README says, run."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import score_tables

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


EXAMPLES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def run(example: str) -> dict[str, Any]:
    assert len(example.strip().splitlines()) <= 12
    names: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), names)
    return names


def test_the_example_with_masks_runs(capsys: pytest.CaptureFixture[str]) -> None:
    run(EXAMPLES[0])
    measured, scores = capsys.readouterr().out.split(" ", maxsplit=1)
    assert float(measured) == pytest.approx(4, abs=0.1)
    assert "tensor([" in scores


def test_the_example_off_the_grid_runs() -> None:
    names = run(EXAMPLES[1])
    assert names["kspace"].shape == (8, 1, 64 * 512)
    assert names["gridded"].shape == names["normal"].shape == (8, 1, 256, 256)


def test_every_example_is_run() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("path", re.findall(r"\]\(([\w/.]+)\)", README))
def test_links_lead_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)", README, flags=re.MULTILINE))
def test_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("page", score_tables.BLOCKS)
def test_tables_of_scores_are_what_the_result_files_give(page: str) -> None:
    assert (ROOT / page).read_text() == score_tables.filled(page), (
        "python benchmarks/score_tables.py"
    )


# Numbers of README that nobody measures: versions, years, identifiers, sizes of what is described.
NOT_MEASURED = {"3.0", "3.11", "2.11", "2019", "2022", "2018", "2004", "2103.09203", "2", "152"}
NOT_MEASURED |= {"10.1016", "10.1109", "4.0"}


def test_every_number_outside_the_tables_is_known() -> None:
    """A new number is put into a result file, or said here not to be a measurement."""
    text = re.sub(r"<!-- (\w+):.*?<!-- (?:end of \1|\1: end) -->", "", README, flags=re.DOTALL)
    for code in (r"```.*?```", r"`[^`]*`", r"\]\([^)]*\)"):
        text = re.sub(code, "", text, flags=re.DOTALL)
    found = set(re.findall(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", text))
    assert {number.rstrip(",") for number in found} - NOT_MEASURED == set(MEASURED)


# The others, each with what shows it.
MEASURED = {
    "77": lambda: lines_of("examples/train_fast.py") == 77,
    "1.6e-6": lambda: "1.6e-06" in (ROOT / "benchmarks/results/coil_maps.md").read_text(),
    "100": lambda: "range(100)" in (ROOT / "tests/sampling/test_fastmri.py").read_text(),
    "6": lambda: gains_of_consistency_alone() == (2, 6),
}


def lines_of(path: str) -> int:
    return len((ROOT / path).read_text().splitlines())


def gains_of_consistency_alone() -> tuple[int, int]:
    """The least and the most that the demo gains without a network [dB], rounded."""
    stored = json.loads((ROOT / "benchmarks/results/demo.json").read_text())
    methods = [test["methods"] for test in stored["tests"]]
    gains = [
        scores["data consistency alone"]["psnr_db"] - scores["zero-filled"]["psnr_db"]
        for scores in methods
    ]
    return round(min(gains)), round(max(gains))


@pytest.mark.parametrize("number", MEASURED)
def test_numbers_outside_the_tables_are_what_was_measured(number: str) -> None:
    assert MEASURED[number]()
