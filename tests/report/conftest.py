"""A real browser, for the tests of pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from report_cases import OpenPage

PATIENCE = 60_000  # [ms]: a busy machine is no fault of the page
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """Start the machine's Chromium once."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=pytestconfig.getoption("--browser"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """Give a function that opens a file as a double click does.

    At the end no page may have reported an error or asked for anything but itself.
    """
    faults: list[str] = []
    contexts = []

    def watch(request: Any) -> None:
        if not request.url.startswith(("file://", "data:image/")):
            faults.append(f"asked for {request.url[:80]}")

    def open_file(path: Path, **options: Any) -> Page:
        contexts.append(
            chromium.new_context(**{"viewport": {"width": 1200, "height": 800}} | options)
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda text: faults.append(text.text) if text.type == "error" else None)
        page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
        page.on("request", watch)
        page.goto(path.as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert faults == []
