# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``stationdb token``: what programs sign in with. A token is printed once; nobody can read it again."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from ...models import Token, User
from ...rights import Right

MAX_DAYS = 3650


class Command(BaseCommand):
    """Issue, list and revoke tokens."""

    help = "Issue, list and revoke tokens of users. A token can do what its user can, as far as its scopes go, until it expires."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        issue = actions.add_parser("issue", help="print a new token, once")
        issue.add_argument("--user", required=True, metavar="NAME")
        issue.add_argument("--name", default="token", help="tells the user's tokens apart (default: token)")
        issue.add_argument("--scope", action="append", required=True, choices=Right.values, help="a right; may be given several times")
        issue.add_argument("--days", type=int, default=365, help="days until it expires (default: 365)")
        listed = actions.add_parser("list", help="list tokens, without their secrets")
        listed.add_argument("--user", metavar="NAME")
        revoke = actions.add_parser("revoke", help="end a token")
        revoke.add_argument("--user", required=True, metavar="NAME")
        revoke.add_argument("--name", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, options["action"])(options)

    def issue(self, options: dict[str, Any]) -> None:
        """Only the token goes to standard output, so that it can be kept in a file."""
        user = _user(options["user"])
        if not user.is_active:
            raise CommandError(f"{user.username} is disabled, so no token of theirs would open anything.")
        if not 1 <= options["days"] <= MAX_DAYS:
            raise CommandError(f"A token is good for 1 to {MAX_DAYS} days.")
        try:
            token, secret = Token.issue(user, options["name"], sorted(set(options["scope"])), timedelta(days=options["days"]))
        except ValidationError as error:
            raise CommandError(
                f"The token {options['name']!r} cannot be issued: {' '.join(error.messages)} Choose another --name, or revoke it."
            ) from error
        self.stdout.write(secret)
        self.stderr.write(f"Keep it: it is not shown again. It expires on {token.expires:%Y-%m-%d}.")

    def list(self, options: dict[str, Any]) -> None:
        """One line each: user, name, scopes, expiry, last use."""
        tokens = Token.objects.select_related("user").order_by("user__username", "name")
        if options["user"]:
            tokens = tokens.filter(user=_user(options["user"]))
        for token in tokens:
            state = "expired" if token.expires <= timezone.now() else f"until {token.expires:%Y-%m-%d}"
            used = f"used {token.last_used:%Y-%m-%d}" if token.last_used else "never used"
            self.stdout.write(f"{token.user.username}\t{token.name}\t{' '.join(token.scopes)}\t{state}\t{used}")

    def revoke(self, options: dict[str, Any]) -> None:
        """At once."""
        found = Token.objects.filter(user=_user(options["user"]), name=options["name"])
        if not found.delete()[0]:
            raise CommandError(f"{options['user']} has no token {options['name']!r}. See stationdb token list.")
        self.stdout.write("The token opens nothing any more.")


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"There is no user {name!r}. See stationdb user list.")
    return user
