# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API answers when something is not done: always the same shape, always with what, where and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelError
from django.db import DataError, IntegrityError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from pydantic import BaseModel, Field

from ..errors import Denied, Fault, Faulty, Missing, Outdated, StationDBError, Taken
from .transactions import is_busy

STATUS: dict[type[StationDBError], int] = {Missing: 404, Denied: 403, Taken: 409, Outdated: 412}
"""Of what is not listed: 422."""


NOT_FREE = ("unique", "unique_together")
"""Codes of Django's for what another row has."""


class ProblemPart(BaseModel):
    """One thing that is wrong."""

    what: str = Field(description="What is wrong.", examples=["“zz” is not the MAC address of a network card."])
    where: str = Field("", description="Which part of the request.", examples=["body.macs[0]"])
    remedy: str = Field("", description="What to do.", examples=["Write it as 52:54:00:12:34:56."])
    value: str | None = Field(None, description="The value that is wrong, shortened.")
    line: int | None = Field(None, description="Line of the file, from 1.")
    position: int | None = Field(None, description="Character of the text (criteria), from 0.")
    length: int | None = Field(None, description="Number of characters from there on.")


class Problem(BaseModel):
    """Why nothing was done. Nothing was changed."""

    errors: list[ProblemPart]


def problem(api: NinjaAPI, request: HttpRequest, status: int, faults: Iterable[Fault]) -> HttpResponse:
    """The answer."""
    response = api.create_response(request, {"errors": [fault.as_dict() for fault in faults]}, status=status)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="stationdb"'
    return response


def add_handlers(api: NinjaAPI) -> None:
    """Turn each exception that a request can cause into a Problem."""

    def answer(status: int, what: str, remedy: str) -> Any:
        return lambda request, error: problem(api, request, status, [Fault(what, "", remedy)])

    @api.exception_handler(StationDBError)
    def refused(request: HttpRequest, error: StationDBError) -> HttpResponse:
        status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 422)
        faults = error.faults if isinstance(error, Faulty) else [Fault(str(error.message), error.where, str(error.remedy))]
        return problem(api, request, status, faults)

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        if isinstance(error.__cause__, StationDBError):
            return refused(request, error.__cause__)
        if error.status_code == 401:
            fault = Fault("You are not signed in.", "", "Send Authorization: Bearer and a token that has not expired.")
            return problem(api, request, 401, [fault])
        return problem(api, request, 422 if error.status_code == 400 else error.status_code, [Fault(error.message)])

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return problem(api, request, 422, [of_pydantic(each) for each in error.errors])

    @api.exception_handler(ModelError)
    def model(request: HttpRequest, error: ModelError) -> HttpResponse:
        errors = [each for several in error.error_dict.values() for each in several] if hasattr(error, "error_dict") else [error]
        return problem(api, request, 409 if all(each.code in NOT_FREE for each in errors) else 422, of_model(error))

    @api.exception_handler(ProtectedError)
    def protected(request: HttpRequest, error: ProtectedError) -> HttpResponse:
        return problem(api, request, 409, [Fault("Something still belongs to it.", "", "Move or remove what belongs to it first.")])

    @api.exception_handler(OperationalError)
    def busy(request: HttpRequest, error: OperationalError) -> HttpResponse:
        if not is_busy(error):
            raise error
        response = problem(api, request, 503, [Fault("Other changes stood in the way of this one.", "", "Send it again in a moment.")])
        response["Retry-After"] = "1"
        return response

    api.add_exception_handler(Http404, answer(404, "There is nothing of this name.", "Look at the list for the names there are."))
    api.add_exception_handler(
        IntegrityError, answer(409, "It is not free, or somebody changed it at the same time.", "Read it again, then try again.")
    )
    api.add_exception_handler(DataError, answer(422, "The database cannot store one of the values.", "Shorten it."))
    api.add_exception_handler(RequestDataTooBig, answer(413, "The request is too big.", "Send it in parts."))
    api.add_exception_handler(SuspiciousOperation, answer(422, "The request is malformed.", "Send it as the document says."))
    api.add_exception_handler(UnreadablePostError, answer(422, "The request broke off.", "Send it again."))


def unknown_address(request: HttpRequest) -> HttpResponse:
    """An address of the API that there is not, told as the API tells things."""
    fault = Fault("The API has no such address.", "", "Look at /api/v1/docs for those it has.")
    return JsonResponse({"errors": [fault.as_dict()]}, status=404)


REMEDIES = {
    "extra_forbidden": "Leave it out, or correct its name.",
    "missing": "Give it.",
    "string_pattern_mismatch": "Use the characters that the document allows.",
}


def of_pydantic(error: dict[str, Any]) -> Fault:
    """A fault of an error as pydantic lists it."""
    kind = str(error["type"])
    what = "This field is not known." if kind == "extra_forbidden" else str(error["msg"])
    return Fault(what, path_of(error["loc"]), REMEDIES.get(kind, "Correct the value; /api/v1/docs says what is allowed."))


def path_of(parts: Iterable[object]) -> str:
    """``body.macs[0]`` of its parts; the names that Python gave the parameters of the body are left out."""
    path = ""
    for index, part in enumerate(parts):
        if index == 1 and path == "body" and part in ("given", "data"):
            continue
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def of_model(error: ModelError, where: str = "body") -> list[Fault]:
    """Faults of what a model refused."""
    if not hasattr(error, "error_dict"):
        return [Fault(text, where, "Correct the value.") for text in error.messages]
    return [
        Fault(text, where if field == "__all__" else f"{where}.{field}", "Correct the value.")
        for field, texts in error.message_dict.items()
        for text in texts
    ]
