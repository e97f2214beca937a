# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who manages whom: users within a perimeter, and what may be given to them.

Users belong to no site, their roles do. Who manages users (users.edit) for a site sees those who have a role there, with those roles;
gives a role where they themselves have all its rights; and changes the account itself (its password, its tokens, whether it is active)
only of those who can do nothing that they cannot. So nobody comes to a right by managing users.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from ..errors import Denied
from .models import Assignment, Role, Token, User
from .perimeter import Perimeter
from .rights import Right


def users_within(perimeter: Perimeter) -> QuerySet[User]:
    """Users who have a role at a site of the perimeter; all when users.edit is had for all sites."""
    if perimeter.everywhere(Right.USERS):
        return User.objects.all()
    return User.objects.filter(pk__in=assignments_within(perimeter).values("user"))


def assignments_within(perimeter: Perimeter) -> QuerySet[Assignment]:
    """Roles that are given at sites of the perimeter."""
    return Assignment.objects.filter(perimeter.condition(Right.USERS, "site_id"))


def roles_within(perimeter: Perimeter) -> QuerySet[Role]:
    """Roles belong to no site: all of them, for who manages users anywhere."""
    return Role.objects.all() if perimeter.has(Right.USERS) else Role.objects.none()


def tokens_within(perimeter: Perimeter, user: User) -> QuerySet[Token]:
    """A user's tokens, for who may change the account."""
    return Token.objects.filter(user=user) if outranks(perimeter, user) else Token.objects.none()


def exceeds(perimeter: Perimeter, other: Perimeter) -> bool:
    """Whether the other can do something that the perimeter cannot."""
    for right, ids in other.sites.items():
        mine = perimeter.sites.get(right, frozenset())
        if mine is not None and (ids is None or not ids <= mine):
            return True
    return False


def outranks(perimeter: Perimeter, user: User) -> bool:
    """Whether the account itself may be changed: users.edit wherever the user has a role, and every right the user has.

    An account without any role is for who manages users everywhere; so is an administrator for administrators.
    """
    if user.is_superuser:
        return administers(perimeter)
    if perimeter.everywhere(Right.USERS):
        return not exceeds(perimeter, as_if_active(user))
    sites = list(Assignment.objects.filter(user=user).values_list("site", flat=True))
    return bool(sites) and all(perimeter.covers(site, Right.USERS) for site in sites) and not exceeds(perimeter, as_if_active(user))


def as_if_active(user: User) -> Perimeter:
    """What the user can do, or could if the account were active."""
    active, user.is_active = user.is_active, True
    try:
        return Perimeter.of_user(user)
    finally:
        user.is_active = active


def may_give(perimeter: Perimeter, role: Role, site_id: int | None) -> bool:
    """Whether the role may be given at the site, or taken away there; None is all sites."""
    return perimeter.covers(site_id, Right.USERS) and all(perimeter.covers(site_id, right) for right in role.rights)


def administers(perimeter: Perimeter) -> bool:
    """Whether it is an administrator's: every right everywhere."""
    return all(perimeter.everywhere(right) for right in Right)


class LastAdministrator(Denied):
    """Nobody would be left who could undo it."""


@contextlib.contextmanager
def an_administrator_stays() -> Iterator[None]:
    """Around what changes users and roles: LastAdministrator, and nothing is changed, when it would leave nobody with every right."""
    with transaction.atomic():
        before = _has_administrator()
        yield
        if before and not _has_administrator():
            raise LastAdministrator(
                _("Nobody would be left who may do everything: this is the last active administrator."),
                _("Make another user an administrator first."),
            )


def _has_administrator() -> bool:
    """Whether an active user may do everything, by being a superuser or by roles for all sites. They stay so until the transaction ends."""
    everywhere = Assignment.objects.filter(site=None).values("user")
    possible = User.objects.filter(Q(is_superuser=True) | Q(pk__in=everywhere), is_active=True)
    return any(administers(Perimeter.of_user(user)) for user in possible.select_for_update(of=("self",)).order_by("pk"))
