# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers an operation can give, for its part of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from .problems import Problem


def read(shape: Any) -> dict[int, Any]:
    """Of what reads: the shape, or 304 when the ETag sent is still right."""
    return {200: shape, 304: None, **_problems(401, 403, 404, 422)}


def changed(shape: Any) -> dict[int, Any]:
    """Of what changes: the shape as it is now."""
    return {200: shape, **_problems(401, 403, 404, 409, 412, 413, 422, 503)}


def created(shape: Any) -> dict[int, Any]:
    """Of what adds: the shape as it is now."""
    return {201: shape, **_problems(401, 403, 404, 409, 413, 422, 503)}


def removed() -> dict[int, Any]:
    """Of what removes."""
    return {204: None, **_problems(401, 403, 404, 409, 412, 422, 503)}


def _problems(*statuses: int) -> dict[int, Any]:
    return dict.fromkeys(statuses, Problem)
