# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What agents of OCS Inventory and GLPI speak over HTTP, so that they only need another server address.

OCS and FusionInventory: an XML request, compressed by zlib; first PROLOG (is an inventory wanted?), then INVENTORY.
GLPI agents: JSON, action contact, then inventory; the header GLPI-Agent-ID. Both are answered at each address, by what the request is.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .. import __version__
from ..errors import StationDBError
from . import document
from .admission import admission, client_address
from .errors import NotNow, ReportError, TooMuch
from .formats import glpi, markup
from .intake import accept
from .refusals import refusals

_QUERY = re.compile(rb"<QUERY>\s*([A-Z_]{1,20})\s*</QUERY>")
_PROLOG_LARGEST = 64 << 10


@csrf_exempt
@require_POST
def agents(request: HttpRequest, key: str = "") -> HttpResponse:
    """Answer an agent. 403 where it may not send, 429 too often, 413 too large, 400 not understood, 503 not now."""
    address = client_address(request)
    if admission.too_many(address):
        return _no(429, ReportError("Too many requests from this address.", "Agents try again later."), address)
    if not admission.allows(address, key):
        remedy = "Add its subnet to a site, or put STATIONDB_AGENT_KEY at the end of the agent's server address."
        return _no(403, ReportError(f"Agents may not send from {address or 'an unknown address'}.", remedy), address)
    try:
        if int(request.headers.get("Content-Length") or 0) > document.LARGEST_SENT:
            return _no(
                413, ReportError(f"The request has more than {document.LARGEST_SENT >> 20} MiB.", "No report is that large."), address
            )
        sent = request.body
        plain = document.plain(sent)
        if plain.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
            return _glpi(request, sent, plain, address)
        return _ocs(request, sent, plain, address)
    except TooMuch as error:
        return _no(429, error, address)
    except NotNow as error:
        return _no(503, error, address)
    except (ReportError, ValueError) as error:
        return _no(400, error if isinstance(error, ReportError) else ReportError("The request is malformed."), address)


def _ocs(request: HttpRequest, sent: bytes, plain: bytes, address: str) -> HttpResponse:
    query = _QUERY.search(plain)
    asked = query[1] if query else b""
    if asked == b"INVENTORY":
        accept(sent, "ocs", address=address, agent=_agent(request))
        return _xml(sent, "<REPLY><RESPONSE>NO_ACCOUNT_UPDATE</RESPONSE></REPLY>")
    if asked == b"PROLOG":
        if len(plain) > _PROLOG_LARGEST:
            raise ReportError("The request is too large for a prolog.", "Look at the agent's own log.")
        markup.parse(plain)
        hours = settings.AGENT_HOURS
        return _xml(sent, f"<REPLY><PROLOG_FREQ>{hours}</PROLOG_FREQ><RESPONSE>SEND</RESPONSE></REPLY>")
    raise ReportError("Only PROLOG and INVENTORY are answered here.", "Switch the agent's other tasks off.")


def _glpi(request: HttpRequest, sent: bytes, plain: bytes, address: str) -> HttpResponse:
    action = glpi.load(plain).get("action", "inventory") if len(plain) <= _PROLOG_LARGEST else "inventory"
    answer: dict[str, object] = {"status": "ok", "expiration": settings.AGENT_HOURS}
    if action == "contact":
        answer |= {"message": "contact accepted", "tasks": {"inventory": {"server": "fleet", "version": __version__}}}
    elif action == "inventory":
        accept(sent, "glpi", address=address, agent=_agent(request))
        answer["message"] = "inventory accepted"
    else:
        raise ReportError("Only the actions contact and inventory are answered here.", "Switch the agent's other tasks off.")
    body = json.dumps(answer).encode()
    if sent is plain:
        response = HttpResponse(body, content_type="application/json")
    else:
        response = HttpResponse(_like(sent, body), content_type=_type_like(sent))
    for name in ("GLPI-Agent-ID", "GLPI-Request-ID"):
        if re.fullmatch(r"[0-9A-Fa-f-]{8,36}", value := request.headers.get(name, "")):
            response[name] = value
    return response


def _xml(sent: bytes, reply: str) -> HttpResponse:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{reply}'.encode()
    if not document.is_compressed(sent):
        return HttpResponse(body, content_type="application/xml")
    return HttpResponse(_like(sent, body), content_type=_type_like(sent))


def _like(sent: bytes, body: bytes) -> bytes:
    """Compressed as the request was."""
    return gzip.compress(body) if sent[:2] == b"\x1f\x8b" else zlib.compress(body)


def _type_like(sent: bytes) -> str:
    return "application/x-compress-gzip" if sent[:2] == b"\x1f\x8b" else "application/x-compress-zlib"


def _agent(request: HttpRequest) -> str:
    return "".join(each for each in request.headers.get("User-Agent", "") if each.isprintable())[:100]


def _no(status: int, error: StationDBError, address: str) -> HttpResponse:
    refusals.note(address, status, str(error))
    response = HttpResponse(f"{HTTPStatus(status).phrase}: {error}\n", status=status, content_type="text/plain; charset=utf-8")
    if status in (429, 503):
        response["Retry-After"] = "60"
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would write a line for each
    return response
