"""A headless Chromium for tests of pages; they are skipped, saying so, where it or Playwright is missing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass
class Visit:
    """An open page, and everything it complained about or asked for.

    Attributes:
        page: Playwright's page.
        trouble: messages on the console and uncaught errors.
        requests: addresses asked for after the page itself.
    """

    page: Any
    trouble: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def run(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def settle(self) -> None:
        """Wait until everything is drawn."""
        end = time.monotonic() + 60
        while not self.run("explorer.isIdle()"):
            assert time.monotonic() < end, "the page goes on drawing"
            time.sleep(0.02)

    def text(self, selector: str) -> str:
        found: str = self.page.inner_text(selector)
        return found

    def search(self, query: str) -> str:
        """Type into the search box, and what the page answers."""
        self.page.fill("#query", query)
        self.page.press("#query", "Enter")
        return self.text("#found")

    def click_at(self, x: float, y: float, **options: Any) -> None:
        """Click a point of the plane."""
        box = self.page.locator("#map").bounding_box()
        sx, sy = self.run("([x, y]) => explorer.screen(x, y)", [x, y])
        self.page.mouse.move(box["x"] + sx, box["y"] + sy)
        for key in options.get("modifiers", ()):
            self.page.keyboard.down(key)
        self.page.mouse.click(box["x"] + sx, box["y"] + sy)
        for key in options.get("modifiers", ()):
            self.page.keyboard.up(key)

    @property
    def selected(self) -> int:
        found: int = self.run("explorer.state.selected")
        return found


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(browser: Any, file: Path, **options: Any) -> Iterator[Visit]:
    """A page opened from a file."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
    visit = Visit(context.new_page())
    visit.page.on("console", lambda message: visit.trouble.append(message.text))
    visit.page.on("pageerror", lambda error: visit.trouble.append(str(error)))
    visit.page.on("dialog", lambda dialog: visit.trouble.append(f"dialog: {dialog.message}"))
    visit.page.goto(file.as_uri())
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    try:
        visit.settle()
        yield visit
    finally:
        context.close()
