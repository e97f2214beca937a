# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents for tests: made to order, and real ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("FLEET_TEST_DATA", REPOSITORY.parent / "shared/data"))
REAL = (Path(__file__).parent / "data/ocs-unix-agent-2.10-debian12.xml").read_bytes()
"""What Debian's OCS agent said of a Debian 12: 1,081 rows of software."""


def real(name: str) -> bytes:
    """A document of the shared data folder; the test is skipped where that is absent."""
    path = DATA / "inventory" / name
    if not path.exists():
        pytest.skip(f"FLEET_TEST_DATA has no {name}")
    return path.read_bytes()


def fleet(
    name: str = "pc01",
    *,
    mac: str | Sequence[str] = "a4:bb:6d:00:00:01",
    uuid: str = "",
    serial: str = "",
    address: str = "10.0.0.5",
    software: Sequence[tuple[str, str]] = (("bash", "5.2"), ("zsync", "0.6.2")),
    created: str = "",
    extra: str = "",
    networks: str = "",
    memory: int = 16000,
) -> bytes:
    """A fleet-report-1."""
    cards = [mac] if isinstance(mac, str) else mac
    rows = networks or "".join(
        f'<item description="eno{number}" type="ethernet" status="up" mac="{each}" ipaddress="{address}"/>'
        for number, each in enumerate(cards)
        if each
    )
    items = "".join(f'<item name={quoteattr(title)} version={quoteattr(version)} from="deb" arch="amd64"/>' for title, version in software)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<report format="1" agent="fleet/0.1.0" created={quoteattr(created or "-")} '
        f"station={quoteattr(name)}>"
        f'<hardware><item name={quoteattr(name)} memory="{memory}" uuid="{uuid}"/></hardware>'
        f'<bios><item smanufacturer="Dell Inc." smodel="OptiPlex 3050" ssn={quoteattr(serial)}/></bios>'
        f"{f'<networks>{rows}</networks>' if rows else ''}{extra}"
        f"{f'<softwares>{items}</softwares>' if items else ''}</report>"
    ).encode()


def ocs(name: str = "pc01", *, mac: str = "a4:bb:6d:00:00:01", content: str = "", software: Sequence[tuple[str, str]] = ()) -> bytes:
    """An inventory as the OCS agent for Unix writes it."""
    rows = "".join(
        f"<SOFTWARES><FROM>deb</FROM><INSTALLDATE>2026/10/20</INSTALLDATE><NAME>{escape(title)}</NAME><VERSION>{escape(version)}</VERSION></SOFTWARES>\n"
        for title, version in software
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<REQUEST><CONTENT><HARDWARE><NAME>{escape(name)}</NAME></HARDWARE>"
        f"<NETWORKS><DESCRIPTION>eth0</DESCRIPTION><MACADDR>{mac}</MACADDR><TYPE>ethernet</TYPE></NETWORKS>{content}{rows}"
        f"</CONTENT><DEVICEID>{escape(name)}-2026-01-01-10-00-00</DEVICEID><QUERY>INVENTORY</QUERY></REQUEST>"
    ).encode()
