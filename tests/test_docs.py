"""What the pages in docs/ say: their examples run, their links lead somewhere."""

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
EXAMPLES = {
    page.name: re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)
    for page in PAGES
}
FRAGMENTS = {"models.md"}  # shows a call with results that a run has made


@pytest.mark.parametrize("name", sorted(set(filter(EXAMPLES.get, EXAMPLES)) - FRAGMENTS))
def test_the_examples_of_a_page_run_one_after_another(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for example in EXAMPLES[name]:
        exec(compile(example, name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = set(re.findall(r"[\w/]+\.md", (ROOT / "mkdocs.yml").read_text()))
    assert listed == {page.relative_to(ROOT / "docs").as_posix() for page in PAGES}
