# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/station-database/api.md, run literally by a shell against a server."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from stationdb.accounts.models import Token, User
from stationdb.accounts.rights import Right
from stationdb.registry.models import Site, Station

PAGE = Path(__file__).parents[3] / "docs/station-database/api.md"


@pytest.mark.django_db(transaction=True)
def test_the_examples_do_what_they_say(live_server, tmp_path):
    site = Site.objects.create(slug="paris", name="Paris")
    Station.objects.create(name="pc01", site=site, tag="ALPHA", ram=4 << 30)
    secret = Token.issue(User.objects.create_superuser("root"), "docs", list(Right.values), timedelta(hours=1))[1]
    text = PAGE.read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    script = script.replace("http://127.0.0.1:8420", live_server.url).replace("fleet_…", secret)
    assert "\nunset" not in script and script.count("curl ") >= 20
    done = subprocess.run(["bash", "-euxc", script], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stderr[-1500:]}\n{done.stdout[-1500:]}"
    assert json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL)[1])["errors"][0]["what"] in done.stdout
    assert (tmp_path / "stations.csv").read_text().count("\n") == 3
    station = Station.objects.get(name="pc02")
    assert (station.state, station.tag, station.variables) == ("ready", "BETA", {"room": "B204"})
    assert User.objects.get(username="bob").tokens.count() == 1
