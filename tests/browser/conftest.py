# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server with a fleet, and Chromium. Screenshots stay in .cache/screenshots."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, sync_playwright

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".cache/screenshots"
CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of a server."""
    with tempfile.TemporaryDirectory(prefix="stationdb-browser-") as home, open(Path(home) / "log", "w+b") as log:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("STATIONDB_", "DJANGO_"))}
        server = subprocess.Popen([sys.executable, "-m", "tests.browser.serve", home], cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield _address(server, Path(log.name))
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"Listening at: (http://[0-9.:]+)", log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    raise RuntimeError(f"The server did not start: {log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield started
        started.close()


class Visitor:
    """Somebody with a browser of their own. What the browser complains of is collected."""

    def __init__(self, browser: Browser, site: str, **options: object) -> None:
        given = {
            "viewport": {"width": 1440, "height": 900},
            "locale": "en-GB",
            "color_scheme": "light",
            "accept_downloads": True,
            **options,
        }
        self.context: BrowserContext = browser.new_context(base_url=site, **given)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", self._failed)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error))

    def sign_in(self, name: str, password: str) -> Page:
        self.page.goto("/sign-in/")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        return self.page

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture
def visit(browser: Browser, site: str):
    """A function that opens a browser; at the end none of them may have complained."""
    visitors: list[Visitor] = []

    def open_one(**options: object) -> Visitor:
        visitors.append(Visitor(browser, site, **options))
        return visitors[-1]

    yield open_one
    for visitor in visitors:
        visitor.context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []


@pytest.fixture
def admin(visit) -> Visitor:
    visitor = visit()
    visitor.sign_in("admin", "admin-password-1")
    return visitor
