# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies in JSON, taken strictly."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from .. import strict_json
from ..errors import Fault, Faulty


class StrictParser(Parser):
    """What strict_json refuses is a Problem of the body."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            return strict_json.loads(request.body)
        except strict_json.JSONError as error:
            raise Faulty([Fault(str(error), "body", error.remedy)]) from error
