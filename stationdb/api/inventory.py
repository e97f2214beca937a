# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's inventory, as the plugin fleet.core.stations reads it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Annotated

from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from ..accounts.middleware import Request
from ..accounts.rights import Right
from ..inventory.addresses import Which
from ..inventory.selection import Selection
from ..inventory.stream import InventoryStream
from .answers import read
from .auth import need_anywhere
from .types import NO_NUL

CONTENT_TYPE = "application/x-ndjson"
_IN_MEMORY = 1 << 20

router = Router()


Texts = Annotated[list[str], Field(max_length=1000)]
LINES = {"description": "Lines of JSON", "content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}


class InventoryChoice(BaseModel):
    """Each that is given narrows the choice."""

    site: Texts = Field([], description="Stations of these sites (short names) and those below them.")
    group: Texts = Field([], description="Stations in one of these groups, static, dynamic, or a kind such as models.")
    state: Texts = Field([], description="Stations in these states; all but retired ones when none is named.")
    criteria: str = Field("", description="Stations that meet these criteria.", pattern=NO_NUL, max_length=10_000)
    addresses: Which = Field(
        "subnets",
        description="Which addresses become ansible_host: reserved; those that a station reports from a subnet of its site, or of a site "
        "above it, as well (subnets); or whatever a station reports (reported).",
    )
    secrets: bool = Field(False, description="With secret values, in the variable fleet_secrets; needs stations.secrets.")


@router.get(
    "/inventory", response=read(None), openapi_extra={"responses": {200: LINES}}, summary="Stations, groups and variables for Ansible"
)
def get_inventory(request: Request, choice: Query[InventoryChoice]) -> HttpResponseBase:
    """Lines of JSON, made while they are sent: the groups, then batches of stations in columns, then how many there were.

    The last line names the inventory's entity tag. With If-None-Match the answer is 304 while the inventory is the same.
    """
    if choice.secrets:
        need_anywhere(request, Right.SECRETS, "read secret values")
    selection = Selection(request.perimeter, tuple(choice.site), tuple(choice.group), choice.criteria, tuple(choice.state))
    lines = InventoryStream(selection, secrets=choice.secrets, addresses=choice.addresses).lines()
    first = next(lines)  # what is wrong with the request is found before the answer begins
    lines = _joined(first, lines)
    wanted = request.headers.get("If-None-Match", "")
    if not wanted:
        return _answer(StreamingHttpResponse(lines, content_type=CONTENT_TYPE))
    return _compared(lines, wanted)


def _joined(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    """All lines again; a generator, so that an answer nobody reads to its end is closed, and the transaction with it."""
    yield first
    yield from others


def _compared(lines: Iterator[bytes], wanted: str) -> HttpResponseBase:
    """304, or the inventory when it is not what is wanted. The tag comes last: until then the lines wait in a file."""
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # the answer closes it
    last = b""
    for last in lines:
        spool.write(last)
    tag = f'"{json.loads(last)["etag"]}"'
    if tag in (each.strip().removeprefix("W/") for each in wanted.split(",")):
        spool.close()
        response: HttpResponseBase = HttpResponse(status=304)
    else:
        spool.seek(0)
        response = FileResponse(spool, content_type=CONTENT_TYPE)
    response["ETag"] = tag
    return _answer(response)


def _answer(response: HttpResponseBase) -> HttpResponseBase:
    """Who asks decides what is told, so nobody on the way may keep it."""
    response["Cache-Control"] = "private, no-cache"
    return response
