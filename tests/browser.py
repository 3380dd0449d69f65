"""A real browser for the tests of pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = {"desktop": (1280, 800), "phone": (390, 844)}
#: No traffic but that of the page under test.
QUIET = ("--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update")


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Start Chromium with further `arguments`; skip the test where there is none, except in CI, where it fails.

    While it runs, this thread has a running event loop: do not call asyncio.run inside.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        message = "no Chromium is installed, so no page can be looked at: `make browser` installs it"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, *arguments])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page in a window of one width, and all that it complained about and asked for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window: 0 if it fits."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def broken_images(self) -> list[str]:
        """Return the alternative texts of the images that did not load."""
        script = "[...document.images].filter(image => !(image.complete && image.naturalWidth)).map(image => image.alt)"
        return list(self.page.evaluate(script))

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        self.page.screenshot(path=path, full_page=True)


def watch(page: Page) -> Watched:
    """Watch a new page: call it before the page goes anywhere."""
    watched = Watched(page)
    page.on("console", lambda said: watched.errors.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on("requestfailed", lambda request: watched.errors.append(f"failed: {request.url}"))
    page.on("request", lambda request: watched.requests.append(request.url))
    return watched
