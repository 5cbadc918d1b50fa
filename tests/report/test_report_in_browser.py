"""The report in a real Chromium: controls are pressed, and what they do is looked at."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from report_cases import HOSTILE, OpenPage, make_content, make_hostile

from mrirecon.report import write_report

pytestmark = pytest.mark.requires_browser

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
METHODS = ["zero-filled", "data consistency alone", "network", "network + data consistency"]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    content = make_content(folder)
    second = replace(content.sections[0], title="again, 2.5x")
    path = folder / "report.html"
    write_report(path, replace(content, sections=[content.sections[0], second]))
    return path


def look_closer(page: Page) -> Locator:
    """Open the viewer at the first example."""
    page.get_by_role("button", name="Look closer").first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer).to_be_visible()
    return viewer


def planes(viewer: Locator) -> list[str]:
    """The transforms of all images on the stage."""
    script = "images => images.map(image => getComputedStyle(image).transform)"
    found: list[str] = viewer.locator(".plane img").evaluate_all(script)
    return found


def column(page: Page, table: str, number: int) -> list[str]:
    rows = page.locator(f"#{table} tbody tr:visible")
    return [row.locator("td, th").nth(number).inner_text().strip() for row in rows.all()]


def test_the_result_stands_first_with_its_uncertainty(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    sentence = page.locator(".headline").inner_text()
    assert re.search(r"mean SSIM of 0\.\d{3} where zero-filled images have 0\.\d{3}", sentence)
    assert re.search(r"95\s% interval of the SSIM \S+ to \S+, 2 subjects", sentence)
    box = page.locator(".headline").bounding_box()
    assert box is not None and box["y"] < 300
    expect(page.locator(".findings")).to_contain_text("Few subjects")


def test_the_viewer_shows_every_method_and_moves_all_in_step(
    report: Path, open_page: OpenPage
) -> None:
    page = open_page(report)
    viewer = look_closer(page)
    names = viewer.locator(".pane b").all_inner_texts()
    assert names == ["target, fully sampled", *METHODS]
    box = viewer.locator(".plane").nth(2).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    page.mouse.wheel(0, -300)
    expect(viewer.locator("#viewer-zoom")).to_have_text(re.compile(r"2\.7"))  # e
    assert len(set(planes(viewer))) == 1
    before = planes(viewer)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4, steps=3)
    page.mouse.up()
    assert len(set(planes(viewer))) == 1
    assert planes(viewer) != before
    viewer.get_by_role("button", name="Reset").click()
    assert set(planes(viewer)) == {"matrix(1, 0, 0, 1, 0, 0)"}


def test_errors_are_shown_in_the_colours_of_one_scale(report: Path, open_page: OpenPage) -> None:
    viewer = look_closer(open_page(report))
    viewer.get_by_role("button", name="Errors").click()
    assert viewer.locator(".pane b").all_inner_texts() == METHODS  # a target has no error
    filters = viewer.locator(".plane img").evaluate_all(
        "images => images.map(image => getComputedStyle(image).filter)"
    )
    assert set(filters) == {'url("#viewer-error")'}
    viewer.get_by_label("Error scale").fill("2")
    slope = viewer.page.locator('#viewer-error [type="linear"]').first.get_attribute("slope")
    assert slope == "4"


def test_two_methods_are_compared_by_a_divider(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    viewer = look_closer(page)
    viewer.get_by_role("button", name="Slider").click()
    expect(viewer.locator(".pane b")).to_have_text(f"target, fully sampled | {METHODS[-1]}")
    viewer.locator("#viewer-a").select_option("zero-filled")
    expect(viewer.locator(".pane b")).to_have_text(f"zero-filled | {METHODS[-1]}")
    box = viewer.locator(".plane").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, middle, steps=3)
    page.mouse.up()
    assert float(viewer.get_by_label("Divider").input_value()) == pytest.approx(25, abs=1)
    clip = viewer.locator(".over").evaluate("layer => getComputedStyle(layer).clipPath")
    assert re.fullmatch(r"inset\(0px 0px 0px 2[456][.\d]*%\)", clip)


def test_two_methods_are_compared_by_flicker(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    viewer = look_closer(page)
    page.keyboard.press("f")
    over = viewer.locator(".over")
    expect(viewer.locator(".pane b")).to_have_text(METHODS[-1])
    expect(over).to_be_visible()
    page.keyboard.press("Space")
    expect(viewer.locator(".pane b")).to_have_text("target, fully sampled")
    expect(over).to_be_hidden()
    page.keyboard.press("3")
    expect(viewer.locator(".pane b")).to_have_text(METHODS[1])
    viewer.get_by_role("button", name="Auto").click()
    expect(over).to_be_hidden()
    expect(over).to_be_visible()  # it comes back by itself
    viewer.get_by_role("button", name="Auto").click()


def test_keys_do_all_and_are_listed(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    opener = page.get_by_role("button", name="Look closer").first
    opener.focus()
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    status = viewer.get_by_role("status")
    first = status.inner_text()
    page.keyboard.press("n")
    expect(status).not_to_have_text(first)
    page.keyboard.press("p")
    expect(status).to_have_text(first)
    page.keyboard.press("e")
    expect(status).to_contain_text("absolute errors")
    page.keyboard.press("e")
    for key in ("+", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    (transform,) = set(planes(viewer))
    assert transform != "matrix(1, 0, 0, 1, 0, 0)"
    page.keyboard.press("w")
    assert float(viewer.get_by_label("Window").input_value()) < 100
    slope = page.locator('#viewer-grey [type="linear"]').first.get_attribute("slope")
    assert float(slope or 0) == pytest.approx(1.2)
    page.keyboard.press("0")
    assert set(planes(viewer)) == {"matrix(1, 0, 0, 1, 0, 0)"}
    assert viewer.get_by_label("Window").input_value() == "100"
    page.keyboard.press("?")
    expect(viewer.get_by_text("next, previous slice")).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(opener).to_be_focused()


def test_two_fingers_zoom(report: Path, open_page: OpenPage) -> None:
    page = open_page(report, **PHONE)
    viewer = look_closer(page)
    box = viewer.locator(".plane").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    for kind, apart in (
        ("touchStart", 10),
        ("touchMove", 15),
        ("touchMove", 20),
        ("touchEnd", None),
    ):
        points = [] if apart is None else [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(viewer.locator("#viewer-zoom")).to_have_text("2.0\N{MULTIPLICATION SIGN}")


def test_tables_sort_by_number_and_keep_what_fits(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    table = page.locator("#scores-table")
    table.get_by_role("button", name="PSNR").click()
    values = [float(text) for text in column(page, "scores-table", 5)]
    assert len(values) == 8
    assert values == sorted(values)
    table.get_by_role("button", name="PSNR").click()
    assert [float(text) for text in column(page, "scores-table", 5)] == sorted(values)[::-1]
    assert table.locator('th[aria-sort="descending"]').inner_text().startswith("PSNR")
    form = page.locator('form[data-table="scores-table"]')
    form.get_by_label("method").select_option("network")
    assert column(page, "scores-table", 2) == ["network", "network"]
    form.get_by_label("Show rows with").fill("AGAIN 2.5")
    assert column(page, "scores-table", 0) == ["again, 2.5x"]
    expect(form.locator("output")).to_have_text("1 of 8 rows")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_names_roles_and_contrast_pass_axe(report: Path, open_page: OpenPage, scheme: str) -> None:
    page = open_page(report, color_scheme=scheme)
    assert axe_faults(page) == []
    look_closer(page)
    assert axe_faults(page, "#viewer") == []


def axe_faults(page: Page, part: str = "body") -> list[str]:
    """What axe-core finds wrong: rule and place."""
    found = Axe().run(page, part).response["violations"]
    return [f"{v['id']}: {node['target']}" for v in found for node in v["nodes"]]


def test_nothing_moves_while_the_page_loads(report: Path, open_page: OpenPage) -> None:
    page = open_page(report)
    shift = page.evaluate(
        """() => new Promise(done => {
            let sum = 0;
            const observer = new PerformanceObserver(list => {
                for (const entry of list.getEntries()) sum += entry.value;
            });
            observer.observe({type: "layout-shift", buffered: true});
            setTimeout(() => done(sum), 300);
        })"""
    )
    assert shift == 0


def test_a_phone_needs_no_sideways_scrolling(report: Path, open_page: OpenPage) -> None:
    page = open_page(report, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    look_closer(page)
    assert page.evaluate("document.getElementById('viewer').scrollWidth") <= 390


def test_print_leaves_controls_out_and_keeps_pictures(report: Path, open_page: OpenPage) -> None:
    page = open_page(report, viewport={"width": 718, "height": 1000})  # A4 less its margins
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    assert not page.locator("form.filter").first.is_visible()
    assert not page.get_by_role("button", name="Look closer").first.is_visible()
    assert page.locator("article.example .error").first.is_visible()
    assert page.locator("details pre").first.is_visible()
    assert len(page.pdf()) > 50_000


def test_hostile_text_stays_text(
    tmp_path: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names close attributes, options and scripts; `open_page` fails at a dialog or an error."""
    path = tmp_path / "report.html"
    write_report(path, make_hostile(make_content(tmp_path, subject=HOSTILE)))
    page = open_page(path)
    viewer = look_closer(page)
    for mode in "fsg":
        page.keyboard.press(mode)
    assert HOSTILE in viewer.locator("#viewer-slice").inner_text()
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("h1").inner_text() == HOSTILE
