"""The page as a browser gets it: whole, self-contained, escaped, and the same every time."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from evaluation_cases import (
    CPU,
    SAMPLING,
    SPOKES,
    make_dataset,
    make_evaluation,
    make_reconstructors,
)

from mrirecon.evaluation import OFF_GRID_METHODS, collect_examples
from mrirecon.report import (
    ReportContent,
    ReportSection,
    ReportTestSet,
    render_report,
    write_report,
)
from mrirecon.sampling import Undersampling

HOSTILE = "<script>alert('x')</script>"
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects tags, the addresses that a page asks for, and its text; checks the nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.targets: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v for k, v in attrs if k in ("src", "href", "srcset", "data") and v]
        self.targets |= {f"#{v}" for k, v in attrs if k == "id"}
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def make_content(
    folder: Path,
    *,
    subject: str = "anna",
    protocol: str = "per_slice",
    n_sections: int = 1,
    sampling: Undersampling = SAMPLING,
) -> ReportContent:
    dataset = make_dataset(folder, names=(subject, "bert"))
    evaluation = make_evaluation(dataset, protocol=protocol, sampling=sampling)
    examples = collect_examples(
        make_reconstructors(), dataset, evaluation, batch_size=4, device=CPU
    )
    log = folder / "metrics.jsonl"
    lines = [json.dumps({"step": step, "generator_l1": 1 / step}) for step in range(1, 60)]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    section = ReportSection(
        title="lines, 2.5x",
        description="A small network.",
        test_sets=[ReportTestSet(evaluation, examples)],
        metrics_log=log,
        configuration="sampling:\n  strategy: random\n",
    )
    return ReportContent(
        title="A report",
        introduction="What was done.",
        sections=[section] * n_sections,
        command="mrirecon evaluate runs/small",
        seed=5,
        versions={"torch": "2.13.0"},
        created="today",
    )


def test_the_page_holds_scores_protocol_and_how_it_was_made(tmp_path: Path) -> None:
    content = make_content(tmp_path)
    page = Page(render_report(content))
    evaluation = content.sections[0].test_sets[0].evaluation
    for expected in (
        "A report",
        "mrirecon evaluate runs/small",
        "2.13.0",
        "strategy: random",
        evaluation.protocol.statement,
        evaluation.description,
        "worst SSIM",
        "network + data consistency",
    ):
        assert expected in page.text


def test_the_page_of_a_trajectory_shows_its_readouts_and_its_methods(tmp_path: Path) -> None:
    page = render_report(make_content(tmp_path, sampling=SPOKES))
    text = Page(page).text
    for expected in ("trajectory", "8 spokes", "the whole run", "gridding"):
        assert expected in text
    assert "zero-filled" not in text.replace("zero-filled or gridded", "")
    for method in OFF_GRID_METHODS:  # one colour in the legend and in the tables
        pattern = rf'class="method-(\d)">(?:<td class="method">)?<i></i>{re.escape(method)}<'
        found = re.findall(pattern, page)
        assert len(found) >= 2
        assert len(set(found)) == 1


def test_the_page_asks_for_nothing_outside_itself(tmp_path: Path) -> None:
    page = Page(render_report(make_content(tmp_path, n_sections=2)))
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert page.addresses
    for address in page.addresses:
        assert address.startswith("data:image/") or address in page.targets


def test_text_from_files_is_escaped_everywhere(tmp_path: Path) -> None:
    content = make_content(tmp_path, subject=HOSTILE)
    section = content.sections[0]
    test_set = section.test_sets[0]
    evaluation = replace(test_set.evaluation, name=HOSTILE, description=HOSTILE)
    hostile_section = replace(
        section,
        title=HOSTILE,
        description=HOSTILE,
        configuration=HOSTILE,
        test_sets=[replace(test_set, evaluation=evaluation)],
    )
    text = render_report(
        replace(
            content,
            title=HOSTILE,
            introduction=HOSTILE,
            command=HOSTILE,
            versions={HOSTILE: HOSTILE},
            created=HOSTILE,
            sections=[hostile_section],
        )
    )
    assert "<script" not in text
    assert Page(text).text.count(HOSTILE) > 10


def test_equal_content_gives_equal_pages(tmp_path: Path) -> None:
    content = make_content(tmp_path)
    assert render_report(content) == render_report(content)


def test_no_psnr_of_a_slice_is_shown_under_the_volume_protocol(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    pattern = re.compile(r"SSIM \d\.\d{3}, \d+\.\d dB")
    assert pattern.search(render_report(make_content(tmp_path / "a")))
    by_volume = render_report(make_content(tmp_path / "b", protocol="fastmri"))
    assert not pattern.search(by_volume)
    assert re.search(r"SSIM \d\.\d{3}<", by_volume)


def test_all_error_maps_share_one_stated_scale(tmp_path: Path) -> None:
    page = Page(render_report(make_content(tmp_path, n_sections=2)))
    limits = re.findall(r"error colours from 0 to ([\d.e-]+) of", page.text)
    assert len(limits) == 2
    assert len(set(limits)) == 1


def test_a_report_without_training_log_has_no_training_part(tmp_path: Path) -> None:
    content = make_content(tmp_path)
    without = replace(content, sections=[replace(content.sections[0], metrics_log=None)])
    assert "Training" in Page(render_report(content)).text
    assert "Training" not in Page(render_report(without)).text


def test_nothing_to_show_is_refused_by_name(tmp_path: Path) -> None:
    content = make_content(tmp_path)
    section = content.sections[0]
    for part, change, message in (
        (content, {"sections": []}, "sections: expected at least one"),
        (section, {"test_sets": []}, "test_sets: expected at least one in 'lines, 2.5x'"),
        (section.test_sets[0], {"examples": []}, "examples: expected at least one of 'small'"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            replace(part, **change)


def test_a_failed_report_leaves_the_old_one(tmp_path: Path) -> None:
    content = make_content(tmp_path)
    path = tmp_path / "out" / "report.html"
    write_report(path, content)
    before = path.read_bytes()
    (tmp_path / "metrics.jsonl").write_text("broken\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"metrics\.jsonl, line 1"):
        write_report(path, content)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
