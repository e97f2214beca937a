# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a software: names and versions are found in the dictionary, then the few stations that hold them, whatever the fleet's size."""

from __future__ import annotations

from django.db.models import Q, Value
from django.db.models.functions import Upper
from django.db.models.lookups import Exact
from django.utils.translation import gettext as _

from ..reports.models import Holding, Software, SoftwareVersion
from . import values
from .kinds import any_of, compared_version
from .lookups import is_glob, matches
from .syntax import Software as Node
from .syntax import Word

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "~", "!~", "in", "not in")


def holders(node: Node) -> Q:
    """Stations that hold the software in one of the versions. ``!=`` is another version than this, not the lack of it."""
    versions = SoftwareVersion.objects.filter(software__in=Software.objects.filter(named(node.name, node.pattern)).order_by().values("id"))
    if node.operator:
        versions = versions.filter(_version(node.operator, node.values))
    return Q(id__in=Holding.objects.filter(software_version__in=versions.order_by().values("id")).order_by().values("station_id"))


def named(word: Word, pattern: bool = False) -> Q:
    """Software of this name; with * and ? a pattern, and with ``~`` whatever contains it. Case does not count."""
    if not word.text:
        raise word.wrong(_("The name of the software is missing."))
    if pattern or is_glob(word.text):
        return matches("name", word.text)
    return Q(Exact(Upper("name"), Upper(Value(word.text))))


def _version(operator: str, words: tuple[Word, ...]) -> Q:
    if operator in ("in", "not in"):
        condition = any_of(compared_version("version_key", "=", values.text(word)) for word in words)
        return condition if operator == "in" else ~condition
    text = values.text(words[0])
    if operator in ("~", "!~"):
        return matches("version", text) if operator == "~" else ~matches("version", text)
    return ~compared_version("version_key", "=", text) if operator == "!=" else compared_version("version_key", operator, text)
