# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in through a directory (a real slapd) as docs/station-database/accounts.md says, on a site that runs."""

from __future__ import annotations

import json
from pathlib import Path

from ..accounts.directory import BASE, READER, SECRET, directory
from .server import Visitor, served, shell, stationdb

ROLES = """
from stationdb.accounts.models import Role
from stationdb.registry.models import Site
Role.objects.create(name="technician", rights=["stations.view"])
Role.objects.create(name="reader", rights=["stations.view"])
Site.objects.create(slug="north", name="The north")
Site.objects.create(slug="south", name="The south")
"""


def test_users_of_the_directory_sign_in_and_see_what_their_groups_give(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with directory() as server:
        (tmp_path / "password").write_text(f"{SECRET}\n")
        (tmp_path / "roles.json").write_text(
            json.dumps(
                {
                    f"cn=technicians,ou=groups,{BASE}": [{"role": "technician", "site": "north"}],
                    f"cn=auditors,ou=groups,{BASE}": [{"role": "reader"}],
                }
            )
        )
        settings = {
            "STATIONDB_LDAP_URL": f"ldaps://localhost:{server.tls}",
            "STATIONDB_LDAP_CA": str(server.ca),
            "STATIONDB_LDAP_BASE": BASE,
            "STATIONDB_LDAP_READER": READER,
            "STATIONDB_LDAP_READER_PASSWORD_FILE": str(tmp_path / "password"),
            "STATIONDB_LDAP_ROLES": str(tmp_path / "roles.json"),
        }
        with served(home, **settings) as running:
            url = running.url
            shell(home, ROLES)
            assert 'name="password"' in Visitor(url).send("sign-in/", username="alice", password="wrong")
            alice = Visitor(url)
            alice.send("sign-in/", username="alice", password="alice's secret")
            assert "The north" in (sites := alice.get("sites/")) and "The south" not in sites
            bob = Visitor(url)
            bob.send("sign-in/", username="bob", password="bob's secret")
            assert "Ask an administrator" in (page := bob.get("")) and "The north" not in page

            # The commands of the page, on the site that runs.
            assert stationdb(home, "user", "add", "ansible", "--role", "reader", "--program").returncode == 0
            issued = stationdb(home, "token", "issue", "--user", "ansible", "--scope", "stations.view", "--days", "90")
            assert issued.stdout.startswith("fleet_"), issued.stderr
            assert {"admin", "alice", "ansible", "bob"} <= set(stationdb(home, "user", "list").stdout.split())
            assert stationdb(home, "user", "disable", "alice").returncode == 0
            assert 'name="password"' in alice.get("sites/"), "sessions end at once"
            assert 'name="password"' in Visitor(url).send("sign-in/", username="alice", password="alice's secret")
        assert SECRET not in "\n".join(running.lines)
    # Accounts made here sign in while the directory is gone.
    with served(home, **settings) as running:
        made = stationdb(home, "user", "passwd", "admin", stdin="seven words are easily kept in mind\n")
        assert made.returncode == 0, made.stderr
        admin = Visitor(running.url)
        admin.send("sign-in/", username="admin", password="seven words are easily kept in mind")
        assert 'name="password"' in Visitor(running.url).send("sign-in/", username="bob", password="bob's secret")
        running.await_line("directory|LDAP|ldap")
