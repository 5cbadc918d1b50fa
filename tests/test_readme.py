"""What the README says, run."""

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
