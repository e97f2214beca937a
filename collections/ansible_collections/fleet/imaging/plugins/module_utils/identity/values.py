# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with a station's own values, made by the site's templates: licence keys, settings of programs."""

from __future__ import annotations

from ..installed.tree import Tree
from .request import Request


def stage(tree: Tree, request: Request) -> None:
    """Put them into the system; they are never shown."""
    for file in request.files:
        tree.write(file.path, file.contents, file.mode, file.owner, secret=True)
