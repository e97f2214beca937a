# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is sent to the API that its document allows, or nearly allows: no answer is a 5xx, or one the document does not know.

The examples are the same each time. An operation gets its share of the time; what the slow machine does not reach is left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from stationdb.accounts.models import Assignment, Role, Token, User
from stationdb.accounts.rights import Right
from stationdb.content.models import Image, Package
from stationdb.registry.models import Group, MacAddress, Site, Station, StationValue

CONFIG = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
"""Without the phase that tries every edge of every value by itself: it takes minutes."""

SCHEMA = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), config=CONFIG)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SHARE = 60 / max(1, SCHEMA.statistic.operations.total)
"""Seconds of each operation: all of them have a minute."""


@pytest.fixture
def secret(db: None) -> str:
    """An administrator's token, and one of everything under the names that the document has as examples."""
    site = Site.objects.create(slug="paris", name="Paris")
    station = Station.objects.create(name="pc01", site=site, tag="ALPHA", image=Image.objects.create(name="debian-12", version="2026.11"))
    MacAddress.objects.create(station=station, mac="52:54:00:12:34:56")
    StationValue.objects.create(station=station, name="licence_key", value="ABCD")
    Package.objects.create(name="debian-12", version="2026.11")
    Group.objects.create(name="kiosks").stations.add(station)
    alice = User.objects.create_user("alice")
    Assignment.objects.create(user=alice, role=Role.objects.create(name="editor", rights=[Right.VIEW]), site=site)
    Token.issue(alice, "ansible", [Right.VIEW], timedelta(days=1))
    return Token.issue(User.objects.create_superuser("root"), "tests", list(Right.values), timedelta(days=1))[1]


@pytest.mark.slow
@SCHEMA.parametrize()
@settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_nothing_breaks(case: schemathesis.Case, secret: str, spent: dict[str, float]) -> None:
    started = time.monotonic()
    if spent.setdefault("seconds", 0) > SHARE:
        return
    response = case.call(headers={"Authorization": f"Bearer {secret}"})
    case.validate_response(response, checks=CHECKS)
    spent["seconds"] += time.monotonic() - started


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """The end of a request leaves the database's connection open, as with Django's own client: the test's transaction is in it."""
    ends = (signals.request_started, signals.request_finished)
    for end in ends:
        end.disconnect(close_old_connections)
    yield
    for end in ends:
        end.connect(close_old_connections)


@pytest.fixture
def spent() -> dict[str, float]:
    return {}
