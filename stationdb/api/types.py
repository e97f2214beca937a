# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types that operations share: names in paths, texts in queries, and shapes that refuse what they do not know."""

from __future__ import annotations

from typing import Annotated, Any

from ninja.params.functions import Path, Query
from pydantic import BaseModel, ConfigDict, Field

NO_NUL = r"^[^\x00]*$"
"""What a database can look for."""

Variables = dict[str, Any]
"""Ansible variables. They are data: nothing here looks into their values, and the inventory never templates them."""


def in_path(what: str, example: str) -> Any:
    """A name in the path."""
    return Path(description=what, pattern=NO_NUL, max_length=255, example=example)


def in_query(what: str, example: str) -> Any:
    """A text in the query."""
    return Query(description=what, pattern=NO_NUL, max_length=10_000, example=example)


StationName = Annotated[str, in_path("Host name of the station, whatever its case.", "pc01")]
SiteSlug = Annotated[str, in_path("Short name of the site.", "paris")]
GroupName = Annotated[str, in_path("Name of the group.", "kiosks")]
ContentName = Annotated[str, in_path("Name of the image or package.", "debian-12")]
ContentVersion = Annotated[str, in_path("Version of the image or package.", "2026.11")]
UserName = Annotated[str, in_path("Name of the user.", "alice")]
RoleName = Annotated[str, in_path("Name of the role.", "editor")]
TokenName = Annotated[str, in_path("Name of the token.", "ansible")]


class Given(BaseModel):
    """What is sent: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Change(BaseModel):
    """A field that became something else, or would."""

    field: str = Field(examples=["site"])
    before: Any = Field(examples=["paris"])
    after: Any = Field(examples=["lyon"])
