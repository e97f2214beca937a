# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A station database with a fleet, served by gunicorn on loopback: python -m tests.browser.serve HOME, which prints its address."""

from __future__ import annotations

import os
import sys
import uuid


def main(home: str) -> None:
    """Make the database and become its server."""
    os.environ |= {"STATIONDB_HOME": home, "STATIONDB_INSECURE": "1", "DJANGO_SETTINGS_MODULE": "stationdb.settings"}
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    fill()
    from django.db import connections

    connections.close_all()
    os.execv(
        sys.executable,
        [sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:0", "--workers=1", "--threads=4", "--log-level=info", "stationdb.wsgi"],
    )


def fill() -> None:
    """Sixty stations, two administrators, one of them French, somebody who sees the north alone, and reports that were refused or wait."""
    from django.utils import timezone

    from stationdb.accounts.models import Assignment, Role, User
    from stationdb.accounts.rights import Right
    from stationdb.content.models import Image, Package
    from stationdb.registry.models import Group, Site, Station, StationValue
    from stationdb.reports.intake import process_spool
    from stationdb.reports.models import Unplaced
    from stationdb.reports.spool import Spool
    from stationdb.tests.fleet import make_fleet

    fleet = make_fleet(stations=60, software=60, sites=6, changes=3, reports=2)
    User.objects.create_superuser("admin", password="admin-password-1")
    User.objects.create_superuser("marie", password="marie-password-1", language="fr")
    alice = User.objects.create_user("alice", password="alice-password-1", must_change_password=True)
    role = Role.objects.create(name="reader", rights=[Right.VIEW.value, Right.EXPORT.value])
    Assignment.objects.create(user=alice, role=role, site=Site.objects.get(slug="north"))
    StationValue.objects.create(station=fleet.stations[0], name="office_key", value="AAAA-BBBB")
    image = Image.objects.create(name="classroom", version="2026.11", size=14 << 30, source=fleet.stations[0])
    Station.objects.filter(site__slug="agency0001").update(image=image)
    Package.objects.create(name="libreoffice", version="24.2.7", size=400 << 20)
    Group.objects.create(name="small_ram", criteria="ram < 8 GiB", description="To be replaced")
    Group.objects.create(name="teachers", site=Site.objects.get(slug="north"), description="Desks in front")
    spool = Spool()
    spool.put(b"<report><half a document", "https", station="pc00007", address="10.0.0.9", agent="fleet/0.1.0")
    process_spool()
    spool.put(b"<report/>", "ssh")  # no worker runs here: it waits
    Unplaced.objects.create(
        id=uuid.UUID(int=7),
        identity="52:54:00:99:00:01",
        received=timezone.now(),
        name="lost",
        address="192.168.7.7",
        macs="52:54:00:99:00:01",
    )


if __name__ == "__main__":
    main(sys.argv[1])
