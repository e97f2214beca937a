# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every address of the site and every operation of the API, asked as one user."""

from __future__ import annotations

import base64
import itertools
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from stationdb.accounts.models import User
from stationdb.api.management.commands.openapi import document

from .world import BODIES, CRITERIA, FORM, HIDDEN, HIDDEN_ID, QUERIES, VALUES

Asked = tuple[str, str, bytes, str]
"""Method, address, body, content type."""

FORM_TYPE = "application/x-www-form-urlencoded"


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """Every route, such as ``stations/<int:pk>/``."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        else:
            assert isinstance(pattern, URLPattern)
            yield route


def addresses(route: str) -> Iterator[str]:
    """A route with every value in the place of its parameters. KeyError for a parameter that nobody gave values."""
    names = re.findall(r"[<{](?:\w+:)?(\w+)[>}]", route)
    for values in itertools.product(*(VALUES[name] for name in names)):
        filled = route
        for value in values:
            filled = re.sub(r"[<{][^<>{}]+[>}]", str(value), filled, count=1)
        if "<int:" not in route or not re.search(r"/token/[a-z]", filled):
            yield "/" + filled.lstrip("/")


def pages() -> Iterator[Asked]:
    """Every address, read and sent to. Those of the API are asked with their own queries by operations()."""
    for route in routes():
        for address in addresses(route):
            yield "GET", address, b"", ""
            if not address.startswith("/api/"):
                for text in (HIDDEN, *CRITERIA[1:4]):
                    query = {
                        "q": text,
                        "criteria": text,
                        "search": text,
                        "site": HIDDEN_ID,
                        "group": HIDDEN_ID,
                        "version": "9",
                        "cursor": 0,
                    }
                    yield "GET", f"{address}?{urlencode(query)}", b"", ""
                yield "POST", address, b"", FORM_TYPE
                yield "POST", address, urlencode(FORM).encode(), FORM_TYPE


def operations() -> Iterator[Asked]:
    """Every operation of the API's document, with every query and body. KeyError for what nobody gave values."""
    for path, methods in json.loads(document())["paths"].items():
        for method, operation in methods.items():
            kinds = list(operation.get("requestBody", {"content": {"": None}})["content"])
            bodies = BODIES[operation["operationId"]] if "requestBody" in operation else [None]
            queries = [("", "")] + [
                (parameter["name"], value)
                for parameter in operation["parameters"]
                if parameter["in"] == "query"
                for value in QUERIES[parameter["name"]]
            ]
            for address, body, (name, value) in itertools.product(addresses(path), bodies, queries):
                content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
                yield method.upper(), f"{address}?{urlencode({name: value})}" if name else address, content, kinds[0]


def walk(user: User, asked: list[Asked]) -> dict[Asked, tuple[int, str, str]]:
    """What each request is answered: status, where it leads, and text, without what differs each time. Changes are taken back."""
    cache.clear()
    client = Client(raise_request_exception=False)
    client.force_login(user)
    answers = {}
    for each in asked:
        method, address, body, kind = each
        with transaction.atomic():
            response = client.generic(method, address, body, content_type=kind or "application/octet-stream")
            content = b"".join(response.streaming_content) if response.streaming else response.content
            text = text_of(content) if content.startswith(b"%PDF") else content.decode("utf-8", "replace")
            answers[each] = (response.status_code, lasting(response.get("Location", "")), lasting(text))
            transaction.set_rollback(True)
        if "sign-out" in address or "sessionid" in response.cookies:
            client.force_login(user)
    return answers


def text_of(pdf: bytes) -> str:
    """What the streams of a PDF of reportlab's hold."""
    found = re.findall(rb"ASCII85Decode /FlateDecode[^>]*>>\s*stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    return "".join(zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>"))).decode("latin-1") for stream in found)


def lasting(text: str) -> str:
    """A text without keys, moments and numbers of new rows."""
    text = re.sub(r"\b[A-Za-z0-9]{64}\b", "KEY", text)
    text = re.sub(r"fleet_[\w-]{43}", "TOKEN", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", "MOMENT", text)
    text = re.sub(r"\w{3,9}\.? \d+, \d{4}, \d+(:\d+)? [ap]\.m\.", "MOMENT", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "DIGEST", text)
    text = re.sub(r'class="revealed">[^<]*<', "PASSWORD<", text)
    text = re.sub(r"\b(just now|\d+\s\w+ ago)\b", "AGO", text)
    return re.sub(r"^(/[a-z]+/)\d+/", r"\1NEW/", text)


def differences(before: dict[Asked, Any], after: dict[Asked, Any]) -> list[str]:
    """Requests that are answered differently, with the first characters that differ."""
    found = []
    for asked, was in before.items():
        now = after[asked]
        if now != was:
            at = next(
                (index for index, (one, other) in enumerate(zip(was[2], now[2], strict=False)) if one != other),
                min(len(was[2]), len(now[2])),
            )
            near = slice(max(at - 60, 0), at + 100)
            found.append(f"{asked[0]} {asked[1]} {asked[2][:200]!r}: {was[:2]} {was[2][near]!r} became {now[:2]} {now[2][near]!r}")
    return found
