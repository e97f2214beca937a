# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Behind a proxy, who asks is who the proxy says: for what counts attempts by address, and for logs."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable, Iterable
from typing import Any


class Forwarded:
    """WSGI: REMOTE_ADDR becomes the last address of X-Forwarded-For, which is the one that our own proxy wrote.

    For installations that only a proxy can reach (a Unix socket, or ``--behind-proxy``); a header that is no address is left alone.
    """

    def __init__(self, application: Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        said = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        with contextlib.suppress(ValueError):
            environ["REMOTE_ADDR"] = str(ipaddress.ip_address(said))
        return self.application(environ, start_response)
