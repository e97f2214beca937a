# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of its own for each test, started as an admin starts it, and gone afterwards."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass
class Served:
    """A running ``stationdb serve``: its process, what it said so far, its home."""

    process: subprocess.Popen[str]
    home: Path
    lines: list[str] = field(default_factory=list)

    def await_line(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """The first line that matches, said within a time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in list(self.lines):
                found = re.search(pattern, line)
                if found:
                    return found
            time.sleep(0.02)
        raise AssertionError(f"no line like {pattern!r} in {self.lines}")

    @property
    def url(self) -> str:
        return self.await_line(r"is at (https?://\S+/)$")[1]

    def end(self) -> float:
        """Ctrl+C; the seconds that it took to end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(120) == 0, self.lines
        return time.monotonic() - began


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """What an admin's shell has: no setting of ours but the home."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STATIONDB_", "DJANGO_"))}
    return {**clean, "STATIONDB_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", **more}


def left_behind(home: Path) -> list[str]:
    """Processes whose environment names the home."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"STATIONDB_HOME={home}\0".encode() in (folder / "environ").read_bytes() + b"\0":
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    found.append(f"{folder.name} {(folder / 'cmdline').read_text()}")
        except OSError:
            continue
    return found


@contextmanager
def served(home: Path, *arguments: str, code: Path = ROOT, **environment: str) -> Iterator[Served]:
    """``stationdb serve`` on a free port of loopback; code is the folder with the package that runs."""
    argv = [sys.executable, "-m", "stationdb", "serve", *(arguments or ("--bind", "127.0.0.1:0"))]
    process = subprocess.Popen(
        argv, cwd=code, env=environment_of(home, **environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    running = Served(process, home)
    assert process.stdout is not None

    def listen() -> None:
        for line in process.stdout or ():
            running.lines.append(line.rstrip("\n"))

    reader = threading.Thread(target=listen, daemon=True)
    reader.start()
    try:
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reader.join(5)


def stationdb(home: Path, *arguments: str, code: Path = ROOT, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of stationdb that ends by itself."""
    argv = [sys.executable, "-m", "stationdb", *arguments]
    return subprocess.run(
        argv, cwd=code, env=environment_of(home, **environment), input=stdin, capture_output=True, text=True, timeout=120, check=False
    )


def shell(home: Path, python: str, *, code: Path = ROOT, **environment: str) -> str:
    """What some Python prints that sees the database."""
    done = stationdb(home, "shell", "--no-imports", "-c", python, code=code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Visitor:
    """A browser without a screen: it keeps cookies, and sends a form with its token."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        """A page, wherever it leads."""
        with self.opener.open(f"{self.url}{path}", timeout=60) as answer:
            return str(answer.read().decode())

    def send(self, path: str, to: str = "", **fields: str) -> str:
        """The page after a form of a page, which it sends there or elsewhere."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(path))
        assert token, path
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token[1]}).encode()
        with self.opener.open(f"{self.url}{to or path}", body, timeout=60) as answer:
            return str(answer.read().decode())
