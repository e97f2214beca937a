# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb serve`` on a PostgreSQL of its own, from its first start to another host that answers as it did."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from pathlib import Path
from typing import Any

from ..postgresql import postgresql
from ..reports.documents import REAL
from .server import Visitor, served, stationdb

CHOSEN = "five words make one sentence"


class Program:
    """What has a token."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def ask(self, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{self.url}api/v1/{path}", body, {"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def known(self, station: str) -> dict[str, Any]:
        """All that is said of a station."""
        sections = {kind: self.ask(f"stations/{station}/sections/{kind}") for kind in self.ask(f"stations/{station}/sections")}
        return {"station": self.ask(f"stations/{station}"), "reports": self.ask(f"stations/{station}/reports"), "sections": sections}


def test_it_serves_signs_in_takes_a_report_and_answers_the_same_on_another_host(tmp_path: Path) -> None:
    home, other, backup = tmp_path / "home", tmp_path / "other", tmp_path / "backup.tar.gz"
    with postgresql() as here, postgresql() as there:
        database = {"STATIONDB_DATABASE_URL": here.url}
        with served(home, **database) as running:
            visitor = Visitor(running.url)
            one_time = running.await_line(r"one-time password (\S+);")[1]
            assert running.await_line(r"PostgreSQL on 127\.0\.0\.1:\d+, database stationdb; home")
            visitor.send("sign-in/", username="admin", password=one_time)
            visitor.send("password/", old_password=one_time, new_password1=CHOSEN, new_password2=CHOSEN)
            visitor.send("sites/add/", name="Lyon", slug="lyon", time_zone="Europe/Paris", subnets="192.0.2.0/24", variables="{}")
            assert "Lyon" in visitor.get("sites/")
            token = stationdb(home, "service", "tests", "--scopes", "reports.send stations.view", **database).stdout.strip()
            program = Program(running.url, token)
            program.ask("reports?station=PC42", REAL)
            await_report(program, "pc42")
            (page,) = set(re.findall(r"/(stations/\d+/)", visitor.get("stations/")))
            visitor.send(page, to=f"{page}values/", name="licence", value="ABCDE-12345")
            before = program.known("pc42")
            assert len(before["sections"]["softwares"]["rows"]) == 1081
            done = stationdb(home, "backup", str(backup), **database)
            assert (done.returncode, done.stderr) == (0, "")
            assert "of PostgreSQL on 127.0.0.1" in done.stdout
            running.end()
        assert not (home / "stationdb.sqlite3").exists()

        database = {"STATIONDB_DATABASE_URL": there.url}
        done = stationdb(other, "restore", str(backup), **database)
        assert (done.returncode, done.stderr) == (0, "")
        with served(other, **database) as running:
            visitor = Visitor(running.url)
            visitor.send("sign-in/", username="admin", password=CHOSEN)
            assert not any("password" in line for line in running.lines)
            assert Program(running.url, token).known("pc42") == before
            shown = re.search(rf'action="/({page}values/\d+/)"', visitor.get(page))
            assert shown
            assert "ABCDE-12345" in visitor.send(page, to=shown[1])


def await_report(program: Program, station: str) -> None:
    """Wait until a station's first report was taken in."""
    deadline = time.monotonic() + 120
    while not program.ask("stations")["items"] or "softwares" not in program.ask(f"stations/{station}/sections"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
