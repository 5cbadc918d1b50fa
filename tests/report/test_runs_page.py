"""The page that compares runs: what it says, and how it looks in a browser."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from report_cases import HOSTILE, OpenPage, Page
from run_cases import SUBJECTS, make_run

from mrirecon.evaluation import RunRecord, read_runs
from mrirecon.report import render_runs, write_runs


@pytest.fixture
def runs(tmp_path: Path) -> list[RunRecord]:
    scores = {subject: 0.9 + 0.001 * place for place, subject in enumerate(SUBJECTS)}
    return read_runs(
        [
            make_run(tmp_path / "wide", settings={"width": 64}, ssim=scores),
            make_run(
                tmp_path / "narrow",
                settings={"width": "<b>"},
                validation={300: 0.85, 600: 0.82},
                ssim={subject: value - 0.02 for subject, value in scores.items()},
            ),
        ]
    )


def test_the_page_names_the_best_run_and_what_differs(runs: list[RunRecord]) -> None:
    page = Page(render_runs(runs))
    for expected in (
        "wide was validated best: SSIM 0.9000 after 600 steps, 0.0500 more than narrow.",
        "0.8500 (step 300)",
        "training.width",
        "<b>",
        "wide minus each other run, paired by subject",
        "mean of 8 subjects that all were scored on",
        "+0.0200",
        "0.008",
    ):
        assert expected in page.text
    assert (
        len([a for a in page.addresses if a.startswith("data:image/svg")]) == 3
    )  # two scores, loss


def test_equal_runs_give_equal_pages_without_settings(tmp_path: Path) -> None:
    runs = read_runs([make_run(tmp_path / name) for name in "ab"])
    assert render_runs(runs) == render_runs(runs)
    assert "Settings that differ\nNone." in Page(render_runs(runs)).text.replace("\n\n", "\n")


def test_names_are_escaped(tmp_path: Path) -> None:
    hostile = HOSTILE.replace("/", "")
    page = Page(render_runs(read_runs([make_run(tmp_path / hostile), make_run(tmp_path / "b")])))
    assert page.text.count(hostile) >= 2
    assert len(page.scripts) == 1


@pytest.mark.requires_browser
def test_the_page_passes_axe_and_fits_a_phone(
    runs: list[RunRecord], tmp_path: Path, open_page: OpenPage
) -> None:
    write_runs(tmp_path / "runs.html", runs)
    page = open_page(
        tmp_path / "runs.html", viewport={"width": 390, "height": 844}, color_scheme="dark"
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert Axe().run(page, "body").response["violations"] == []
