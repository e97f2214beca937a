# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb user``: who may sign in. Passwords come from the terminal or from standard input, never from the command line."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.db import transaction

from ....registry.models import Site
from ...models import Assignment, Role, User


class Command(BaseCommand):
    """Add, list and disable users, and set passwords."""

    help = "Add, list and disable users, and set their passwords. Passwords are asked for, or read from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        add = actions.add_parser("add", help="add a user")
        add.add_argument("name")
        add.add_argument("--administrator", action="store_true", help="may do everything everywhere")
        add.add_argument(
            "--role", action="append", default=[], metavar="ROLE[@SITE]", help="a role, for a site and those below it or for all"
        )
        add.add_argument("--program", action="store_true", help="signs in with tokens only: no password")
        actions.add_parser("list", help="list the users with their roles")
        for action, text in (("passwd", "set a password"), ("disable", "end all access, tokens included"), ("enable", "give it back")):
            actions.add_parser(action, help=text).add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, options["action"])(options)

    def add(self, options: dict[str, Any]) -> None:
        """Nothing is made unless everything is right."""
        user = User(username=options["name"], is_superuser=options["administrator"])
        try:
            user.clean_fields(exclude=["password"])
            user.validate_unique()
        except ValidationError as error:
            raise CommandError(f"{options['name']!r} cannot be the name of a user: {' '.join(error.messages)}") from error
        given = [_assignment(text) for text in options["role"]]
        if options["program"]:
            user.set_unusable_password()
        else:
            user.set_password(_new_password(user))
        with transaction.atomic():
            user.save()
            Assignment.objects.bulk_create(Assignment(user=user, role=role, site=site) for role, site in given)
        self.stdout.write(f"{user.username} was added.")

    def list(self, _options: dict[str, Any]) -> None:
        """One line each: name, state, roles."""
        for user in User.objects.prefetch_related("assignments__role", "assignments__site"):
            roles = [f"{each.role}@{each.site.slug}" if each.site else str(each.role) for each in user.assignments.all()]
            what = ["administrator"] * user.is_superuser + roles
            notes = ["disabled"] * (not user.is_active) + ["directory"] * bool(user.directory)
            self.stdout.write(f"{user.username}\t{' '.join(what) or '-'}\t{' '.join(notes) or '-'}")

    def passwd(self, options: dict[str, Any]) -> None:
        """For who forgot theirs."""
        user = _user(options["name"])
        if user.directory:
            raise CommandError(f"{user.username} signs in through the directory: the password is changed there.")
        user.set_password(_new_password(user))
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        self.stdout.write(f"The password of {user.username} was set.")

    def disable(self, options: dict[str, Any]) -> None:
        """Sessions end and tokens open nothing as soon as the user is not active."""
        self._activate(options["name"], False)

    def enable(self, options: dict[str, Any]) -> None:
        """The opposite."""
        self._activate(options["name"], True)

    def _activate(self, name: str, active: bool) -> None:
        user = _user(name)
        others = User.objects.filter(is_active=True, is_superuser=True).exclude(pk=user.pk)
        if not active and user.is_superuser and not others.exists():
            raise CommandError(f"{user.username} is the last administrator. Add another one first.")
        user.is_active = active
        user.save(update_fields=["is_active"])
        self.stdout.write(f"{user.username} was {'enabled' if active else 'disabled'}.")


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}. See stationdb user list.")
    return user


def _assignment(text: str) -> tuple[Role, Site | None]:
    name, at, slug = text.partition("@")
    role = Role.objects.filter(name=name).first()
    if role is None:
        known = ", ".join(Role.objects.values_list("name", flat=True)) or "none yet; make one on the site, under Users and roles"
        raise CommandError(f"There is no role {name!r}. There are: {known}.")
    site = Site.objects.filter(slug=slug).first() if at else None
    if at and site is None:
        raise CommandError(f"There is no site {slug!r}.")
    return role, site


def _new_password(user: User) -> str:
    """Asked for twice at a terminal; else the first line of standard input."""
    if sys.stdin.isatty():
        password = getpass.getpass(f"Password of {user.username}: ")
        if getpass.getpass("The same again: ") != password:
            raise CommandError("The two passwords differ. Nothing was changed.")
    else:
        password = sys.stdin.readline().rstrip("\n")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(f"{' '.join(error.messages)} Nothing was changed.") from error
    return password
