# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What serves a user begins with ``.within(``: read from the code of the API and the console."""

from __future__ import annotations

import ast
from pathlib import Path

import django.apps
import pytest

from stationdb.accounts.perimeter import ScopedQuerySet

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "api").rglob("*.py"), *(ROOT / "console").rglob("*.py")])
SCOPED = {model.__name__ for model in django.apps.apps.get_models() if hasattr(model, "site_lookup")}
"""Models that belong to a site; Django has a Group of its own, which nothing here uses."""
KNOWN = {
    # That something is not free is found out among all rows, and nothing else of the row is told.
    "console/forms.py": ("if Station.objects.filter(name__iexact", "taken = MacAddress.", "taken = Subnet."),
    # Rows of an object that was found within the perimeter.
    "console/views/station.py": ("stored = Section.objects.filter(station=it",),
    "console/views/sites.py": ("above = list(Site.objects.filter(pk__in=it.ancestor_ids())",),
    "console/views/edit.py": ("StationValue.objects.update_or_create(station=it",),
    "console/views/groups.py": ("members, mistake = (Station.objects.none()",),
    "console/views/software.py": ("",),
    "console/holdings.py": ("",),
    # Accounts are managed in the console by who manages them for all sites.
    "console/views/users.py": ("",),
}
"""Beginnings of statements that may reach rows otherwise, by file; the walk covers them. "" is every statement, of files that count
software, which belongs to no site, for stations within the perimeter."""

KNOWN_WRITES = ("MacAddress.objects.get_or_create(", "Subnet.objects.get_or_create(", "choose(self, 'site', Site.objects.all())")

HIDDEN_WAYS = {"_base_manager", "_default_manager", "raw", "cursor"}
"""Other ways to rows."""


def offences(source: str) -> list[str]:
    """Lines that reach rows otherwise than through ``Model.objects.within(``.

    Models of no site, such as software, are reached only in a statement that narrows them by what is within the perimeter.
    """
    found = []
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in HIDDEN_WAYS:
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
        if not (isinstance(node, ast.Attribute) and node.attr == "objects"):
            continue
        model = ast.unparse(node.value).rpartition(".")[2]
        following = parents[node]
        if isinstance(following, ast.Attribute) and following.attr == "within":
            continue
        statement: ast.AST = node
        while not isinstance(statement, ast.stmt):
            statement = parents[statement]
        if model in SCOPED or not narrowed(statement, parents):
            found.append(f"line {node.lineno}: {ast.unparse(statement)[:120]}")
    return found


def narrowed(statement: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether the function around a statement takes what is within the perimeter, or only what belongs to whoever asks."""
    function = statement
    while function in parents and not isinstance(function, ast.FunctionDef):
        function = parents[function]
    text = ast.unparse(function)
    return ".within(" in text or "user=request.user" in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rows_are_reached_through_the_perimeter(path):
    known = KNOWN.get(str(path.relative_to(ROOT)), ()) + KNOWN_WRITES
    assert [each for each in offences(path.read_text(encoding="utf-8")) if not each.partition(": ")[2].startswith(known)] == []


@pytest.mark.parametrize(
    "line",
    [
        "Station.objects.get(pk=1)",
        "Station.objects.all()",
        "x = models.Station.objects.filter(site=1).count()",
        "Software.objects.all()",
        "Station._default_manager.all()",
        "connection.cursor().execute('SELECT 1')",
        "Station.objects.raw('SELECT 1')",
        "manager = Station.objects",
    ],
)
def test_the_test_sees_who_forgets_it(line):
    assert offences(f"def view(request):\n    {line}\n")


def test_every_model_of_a_site_has_the_scoped_manager():
    for model in django.apps.apps.get_models():
        relations = {field.related_model.__name__ for field in model._meta.fields if field.is_relation and field.related_model}
        if model._meta.app_label in ("registry", "reports", "content") and relations & {"Site", "Station"}:
            assert model.__name__ in SCOPED, f"{model.__name__} belongs to a site and says nothing of it"
        if hasattr(model, "site_lookup"):
            assert issubclass(model.objects._queryset_class, ScopedQuerySet), model
