# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API at /api/v1 and the list of its routers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.operation import Operation

from .. import __version__
from ..errors import Fault, Faulty
from . import problems
from .auth import SessionAuth, TokenAuth
from .etags import etag_of, matches
from .parsing import StrictParser
from .transactions import done_once

DESCRIPTION = """
Who the stations are, what they report, and the inventory Ansible runs on.

**Signing in.** `Authorization: Bearer fleet_…`; a token can do what its user can, as far as its scopes go. You see the sites of your
perimeter and nothing else: what lies outside answers 404, as what does not exist.

**Names are addresses.** Stations, sites, groups, roles and users are addressed by name, images and packages by name and version.

**Changes.** `PATCH` changes only what is given, and unknown fields are refused. Answers are canonical: sorted lists, addresses in one
spelling, so that comparing an answer with what you want is a diff. `If-Match` with the ETag you read makes a change conditional (412).

**Reading.** Lists come in pages (`limit`, `offset`, `total`, `next`) in a stable order. `If-None-Match` with an ETag answers 304 when
nothing changed.

**Errors** have one shape: a list of what is wrong, where, and the remedy. When there is an error, nothing was changed.
"""


View = Callable[..., Any]


def in_one_transaction(view: View) -> View:
    """What changes something does all of it or nothing."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **values: Any) -> Any:
        if request.method == "GET":
            return view(request, *args, **values)
        return done_once(lambda: view(request, *args, **values))

    return run


def refuse_unknown_queries(view: View) -> View:
    """A misspelt filter must not answer with everything."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **values: Any) -> Any:
        unknown = sorted(set(request.GET) - queries_of(view.__name__))
        if unknown:
            remedy = f"Known: {', '.join(sorted(queries_of(view.__name__))) or 'none'}."
            raise Faulty([Fault("This parameter is not known.", f"query.{name[:100]}", remedy) for name in unknown])
        return view(request, *args, **values)

    return run


class API(NinjaAPI):
    """Ninja with ETags on what is read and operations that are named by their functions."""

    def create_response(
        self, request: HttpRequest, data: Any, *, status: int | None = None, temporal_response: HttpResponse | None = None
    ) -> HttpResponse:
        response = super().create_response(request, data, status=status, temporal_response=temporal_response)
        response["Cache-Control"] = "private, no-cache"
        if response.status_code == 200 and request.method in ("GET", "HEAD", "PATCH"):
            response["ETag"] = etag_of(data)
            asked = request.headers.get("If-None-Match")
            if request.method != "PATCH" and asked and matches(asked, response["ETag"]):
                response.status_code = 304
                response.content = b""
                del response["Content-Type"]
        return response

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


api = API(
    title="Fleet station database",
    version=__version__,
    description=DESCRIPTION.strip(),
    urls_namespace="api",
    auth=[TokenAuth(), SessionAuth()],
    parser=StrictParser(),
    servers=[{"url": "/", "description": "This installation"}],
    openapi_extra={"info": {"license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"}}},
)
problems.add_handlers(api)
api.add_decorator(in_one_transaction)
api.add_decorator(refuse_unknown_queries)


@functools.cache
def queries_of(operation: str) -> frozenset[str]:
    """Names that an operation takes in its query, as the document has them."""
    for path in api.get_openapi_schema()["paths"].values():
        for each in path.values():
            if each["operationId"] == operation:
                return frozenset(parameter["name"] for parameter in each["parameters"] if parameter["in"] == "query")
    return frozenset()


# One line per resource.
api.add_router("", "stationdb.api.me.router", tags=["me"])
api.add_router("", "stationdb.api.sites.router", tags=["sites"])
api.add_router("", "stationdb.api.groups.router", tags=["groups"])
api.add_router("", "stationdb.api.stations.router", tags=["stations"])
api.add_router("", "stationdb.api.table.router", tags=["stations"])
api.add_router("", "stationdb.api.content.router")
api.add_router("", "stationdb.api.software.router", tags=["software"])
api.add_router("", "stationdb.api.criteria.router", tags=["criteria"])
api.add_router("", "stationdb.api.users.router", tags=["users"])
api.add_router("", "stationdb.api.tokens.router", tags=["users"])
api.add_router("", "stationdb.api.roles.router", tags=["users"])
api.add_router("", "stationdb.api.reports.router", tags=["reports"])
api.add_router("", "stationdb.api.inventory.router", tags=["inventory"])
