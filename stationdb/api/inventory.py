# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's inventory, as the plugin fleet.core.stations reads it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Annotated

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Query, Router

from ..accounts.perimeter import Perimeter
from ..accounts.rights import Right
from ..errors import Denied
from ..inventory.selection import Selection
from ..inventory.stream import InventoryStream

CONTENT_TYPE = "application/x-ndjson"
_IN_MEMORY = 1 << 20

router = Router(tags=["inventory"])


@router.get("/inventory", operation_id="inventory", response={200: None, 304: None}, summary="Stations, groups and variables for Ansible")
def inventory(
    request: HttpRequest,
    site: Annotated[list[str], Query(description="Stations of these sites and those below (short names)")] = [],  # noqa: B006
    group: Annotated[list[str], Query(description="Stations of these groups or kinds")] = [],  # noqa: B006
    state: Annotated[list[str], Query(description="Stations in these states; all but retired ones when none is named")] = [],  # noqa: B006
    criteria: Annotated[str, Query(description="Stations that meet these criteria", max_length=5000)] = "",
    secrets: Annotated[bool, Query(description="With secret values; needs the right stations.secrets")] = False,
) -> HttpResponseBase:
    """Lines of JSON, made while they are sent: the groups, then batches of stations in columns, then how many there were.

    The last line names the inventory's entity tag. With If-None-Match the answer is 304 while the inventory is the same.
    """
    perimeter: Perimeter = request.perimeter  # type: ignore[attr-defined]  # set by TokenAuth and by the middleware
    if secrets and not perimeter.has(Right.SECRETS):
        raise Denied("You may not read secret values", "Leave secrets out, or ask for the right stations.secrets")
    selection = Selection(perimeter, tuple(site), tuple(group), criteria, tuple(state))
    lines = InventoryStream(selection, secrets=secrets).lines()
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
