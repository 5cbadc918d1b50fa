"""The page as a browser gets it: whole, self-contained, escaped, and the same every time."""

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from evaluation_cases import SPOKES
from report_cases import HOSTILE, Page, make_content, make_hostile

from mrirecon.evaluation import OFF_GRID_METHODS
from mrirecon.report import render_report, write_report


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
    assert "zero-filled" not in text
    for method in OFF_GRID_METHODS:  # one colour in the legend and in the tables
        pattern = rf'<i class="method-(\d)"></i>{re.escape(method)}<'
        found = re.findall(pattern, page)
        assert len(found) >= 3
        assert len(set(found)) == 1


def test_the_page_asks_for_nothing_outside_itself(tmp_path: Path) -> None:
    page = Page(render_report(make_content(tmp_path, n_sections=2)))
    assert "link" not in page.tags
    assert page.addresses
    for address in page.addresses:
        assert address.startswith("data:image/") or address in page.targets


def test_the_page_allows_itself_its_own_script_alone(tmp_path: Path) -> None:
    text = render_report(make_content(tmp_path))
    (script,) = Page(text).scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    others = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert f"{others}; script-src 'sha256-{digest}'" in text


def test_text_from_files_is_escaped_everywhere(tmp_path: Path) -> None:
    text = render_report(make_hostile(make_content(tmp_path, subject=HOSTILE)))
    page = Page(text)
    assert len(page.scripts) == 1
    assert "alert" not in page.scripts[0]
    assert page.text.count(HOSTILE) > 15
    assert "<img src=x" not in text


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
