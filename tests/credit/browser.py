"""Chromium for tests: journeys through pages, and what axe-core says of each page."""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
BEST_PRACTICE = "best-practice"  # of whole pages: landmarks, headings
AXE = files("axe_playwright_python").joinpath("axe.min.js")

expect.set_options(timeout=30_000)  # milliseconds; a busy machine is no failure


def chromium_path() -> str:
    """Return the path of the browser; where CI runs, it must be there."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed.")
        pytest.skip("Chromium is not installed.")
    return path


def browse(journey: Callable[[Page], None], *, cookies: Sequence[Any] = (), **context: Any) -> list[str]:
    """Play a journey on a fresh page; return what the browser has to say, a violated security policy among it.

    In a thread, because Playwright's event loop would keep Django from its database.
    """

    def play() -> list[str]:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_path(),
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            pages = browser.new_context(**context)
            pages.add_cookies(list(cookies))
            page = pages.new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            journey(page)
            browser.close()
            return complaints

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(play).result()


def expect_accessible(page: Page, *, rules: Sequence[str] = (*WCAG, BEST_PRACTICE), within: str | None = None) -> None:
    """Expect that nothing has to be scrolled sideways and that axe-core finds nothing against WCAG 2.2 AA.

    It looks at the whole page, or at what a selector finds: not all of a page may be ours.
    """
    page.wait_for_load_state("load")
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "([within, rules]) => axe.run(within || document, {runOnly: {type: 'tag', values: rules}})",
        [within, list(rules)],
    )
    problems = [f"{one['id']}: {one['help']} {[node['html'] for node in one['nodes']]}" for one in found["violations"]]
    assert not problems, f"{page.url}: {problems}"
    assert len(found["passes"]) > (4 if within else 8), page.url  # it has looked
