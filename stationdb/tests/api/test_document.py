# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OpenAPI document: complete, valid, and the committed copy is current."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from stationdb.api.management.commands.openapi import document

from .conftest import wrong

COPY = Path(__file__).parents[3] / "docs/station-database/openapi.json"
SCHEMA: dict[str, Any] = json.loads(document())


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in SCHEMA["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_committed_copy_is_current():
    assert json.loads(COPY.read_text(encoding="utf-8")) == SCHEMA, "run: stationdb openapi > docs/station-database/openapi.json"


@pytest.mark.django_db
def test_the_document_is_served_without_signing_in(client):
    assert client.get("/api/v1/openapi.json").json() == SCHEMA


@pytest.mark.parametrize(("method", "path", "operation"), operations())
def test_every_operation_says_what_it_does_and_what_can_go_wrong(method, path, operation):
    assert operation["summary"] and operation["description"].endswith(".") and operation["tags"]
    assert {"401", "422"} <= set(operation["responses"])
    assert operation["security"]
    for parameter in operation["parameters"]:
        assert parameter.get("description"), f"{parameter['name']} has no description"
        texts = [kind for kind in [parameter["schema"], *parameter["schema"].get("anyOf", [])] if kind.get("type") == "string"]
        if parameter["in"] != "header":
            strict = all({"pattern", "enum", "format"} & set(kind) for kind in texts)
            assert strict, f"{parameter['name']}: NUL is not refused"


def test_every_operation_has_a_name_of_its_own():
    names = [operation["operationId"] for _method, _path, operation in operations()]
    assert len(names) == len(set(names))


def test_what_is_sent_refuses_unknown_fields():
    sent = set()
    for _method, _path, operation in operations():
        sent |= set(re.findall(r"#/components/schemas/(\w+)", json.dumps(operation.get("requestBody", {}))))
    assert sent and all(SCHEMA["components"]["schemas"][name]["additionalProperties"] is False for name in sent)


@pytest.mark.django_db
def test_the_page_of_the_document_needs_no_other_server(client):
    page = client.get("/api/v1/docs").content.decode()
    assert "swagger" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    for path in re.findall(r'(?:src|href)="/static/([^"]+)"', page):
        assert finders.find(path), path


@pytest.mark.django_db
def test_an_address_that_there_is_not_is_told_like_any_error(client):
    for path in ("/api/v1/nothing", "/api/v2/stations", "/api/"):
        assert wrong(client.get(path), 404)
        assert wrong(client.post(path, {}), 404)
