# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-in with the accounts of a directory (LDAP, Active Directory). Off unless STATIONDB_LDAP_URL is set.

The password is checked by binding to the directory as the user; it is never stored here. The names of users are escaped wherever they go.
How to set it: docs/station-database/accounts.md.
"""

from __future__ import annotations

import json
import logging
import os
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ldap3
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import transaction
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

from ..registry.models import Site
from .models import Assignment, Role, User

log = logging.getLogger(__name__)

PREFIX = "STATIONDB_LDAP_"
CONNECT_TIMEOUT, ANSWER_TIMEOUT = 5, 10
"""Seconds."""
_ATTRIBUTES = ["givenName", "sn", "mail", "userAccountControl", "nsAccountLock"]
_ACCOUNT_DISABLE = 2


@dataclass(frozen=True)
class Settings:
    """Where the directory is and how users are found in it."""

    host: str
    port: int
    tls: str
    """ldaps, starttls, or off, which must be said."""
    ca: str | None
    base: str
    filter: str
    """Of the entry of a user, with {name}."""
    user: str
    """Whom to bind as, with {name}; blank: the entry is looked for first, as the reader."""
    reader: str
    reader_password: str
    roles: Mapping[str, tuple[tuple[str, str | None], ...]]
    """(role, short name of a site or None for all) by distinguished name of a group in small letters."""


@dataclass(frozen=True)
class Entry:
    """A user as the directory knows them."""

    dn: str
    first_name: str
    last_name: str
    email: str
    disabled: bool
    groups: frozenset[str] = frozenset()
    """Distinguished names, in small letters."""


def settings(environment: Mapping[str, str] | None = None) -> Settings | None:
    """From STATIONDB_LDAP_…; None without an URL. ImproperlyConfigured says what is wrong."""
    given = {
        name.removeprefix(PREFIX): value
        for name, value in (os.environ if environment is None else environment).items()
        if name.startswith(PREFIX)
    }
    if not given.get("URL"):
        return None
    scheme, host, port = _url(given["URL"])
    tls = "ldaps" if scheme == "ldaps" else given.get("TLS", "starttls")
    if tls not in ("ldaps", "starttls", "off"):
        raise ImproperlyConfigured(f"{PREFIX}TLS is starttls, or off to send passwords unencrypted, not {tls!r}.")
    user, base = given.get("USER", ""), given.get("BASE", "")
    if not base and "=" not in user:
        raise ImproperlyConfigured(
            f"Set {PREFIX}BASE, below which users are found, or {PREFIX}USER=uid={{name}},ou=people,dc=example,dc=org."
        )
    if user and "{name}" not in user:
        raise ImproperlyConfigured(f"{PREFIX}USER has no {{name}} in it.")
    found = given.get("FILTER", "(uid={name})")
    if "{name}" not in found:
        raise ImproperlyConfigured(f"{PREFIX}FILTER has no {{name}} in it.")
    return Settings(
        host=host,
        port=port or (636 if tls == "ldaps" else 389),
        tls=tls,
        ca=given.get("CA") or None,
        base=base,
        filter=found,
        user=user,
        reader=given.get("READER", ""),
        reader_password=_read(given.get("READER_PASSWORD_FILE", ""), "READER_PASSWORD_FILE").strip("\n") if given.get("READER") else "",
        roles=_roles(given.get("ROLES", "")),
    )


def user_of(name: str, password: str) -> User | None:
    """The user whose password the directory accepts, made or brought up to date; None for anybody else, and when nobody answers."""
    if not password or not os.environ.get(f"{PREFIX}URL"):
        return None  # a bind without a password succeeds as nobody (RFC 4513, 5.1.2)
    if not name.isprintable():
        return None
    if User.objects.filter(username__iexact=name, directory="").exists():
        return None  # an account of this database is nobody else's, and its password none of the directory's business
    try:
        chosen = settings()
        entry = find(chosen, name, password) if chosen else None
    except (LDAPException, ImproperlyConfigured, OSError) as error:
        log.error("Nobody can sign in through LDAP: %s", error)
        return None
    if chosen is None or entry is None or entry.disabled:
        return None
    return _user(chosen, entry, name)


def find(chosen: Settings, name: str, password: str) -> Entry | None:
    """The entry of a user whose password is right. LDAPException when the directory cannot be asked."""
    if chosen.user:
        escaped = escape_rdn(name) if "=" in chosen.user else name
        connection = _connected(chosen, chosen.user.replace("{name}", escaped), password)
        if connection is None:
            return None
        with connection:
            return _entry(chosen, connection, name, None if chosen.base else chosen.user.replace("{name}", escaped))
    reading = _connected(chosen, chosen.reader, chosen.reader_password)
    if reading is None:
        raise ImproperlyConfigured("The directory refuses the reader's name or password.")
    with reading:
        entry = _entry(chosen, reading, name, None)
    if entry is None:
        return None
    connection = _connected(chosen, entry.dn, password)
    if connection is None:
        return None
    connection.unbind()
    return entry


def _connected(chosen: Settings, user: str, password: str) -> Any:
    """A connection bound as the user (as nobody when blank); None when the directory refuses the name or the password."""
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=chosen.ca) if chosen.tls != "off" else None
    server = ldap3.Server(
        chosen.host, chosen.port, use_ssl=chosen.tls == "ldaps", tls=tls, get_info=ldap3.NONE, connect_timeout=CONNECT_TIMEOUT
    )
    connection = ldap3.Connection(
        server,
        user or None,
        password if user else None,
        auto_referrals=False,
        check_names=False,
        read_only=True,
        receive_timeout=ANSWER_TIMEOUT,
    )
    connection.open()
    if chosen.tls == "starttls" and not connection.start_tls():
        connection.unbind()
        raise LDAPException("the server offers no StartTLS")
    if connection.bind():
        return connection
    connection.unbind()
    return None


def _entry(chosen: Settings, connection: Any, name: str, dn: str | None) -> Entry | None:
    """The entry of a user: the only one that the filter finds, or the one of this name."""
    escaped = escape_filter_chars(name)
    connection.search(
        search_base=dn or chosen.base,
        search_filter="(objectClass=*)" if dn else chosen.filter.replace("{name}", escaped),
        search_scope=ldap3.BASE if dn else ldap3.SUBTREE,
        attributes=_ATTRIBUTES,
        size_limit=2,
    )
    found = [each for each in connection.response or () if each.get("type") == "searchResEntry"]
    if len(found) != 1:
        return None
    attributes = {key.lower(): values for key, values in found[0]["attributes"].items()}
    dn = str(found[0]["dn"])
    control = _first(attributes, "useraccountcontrol")
    return Entry(
        dn=dn,
        first_name=_first(attributes, "givenname"),
        last_name=_first(attributes, "sn"),
        email=_first(attributes, "mail"),
        disabled=bool(control.isdigit() and int(control) & _ACCOUNT_DISABLE) or _first(attributes, "nsaccountlock").lower() == "true",
        groups=frozenset(_groups(chosen, connection, dn, escaped)) if chosen.roles and chosen.base else frozenset(),
    )


def _groups(chosen: Settings, connection: Any, dn: str, escaped_name: str) -> Iterable[str]:
    member = escape_filter_chars(dn)
    connection.search(
        search_base=chosen.base,
        search_filter=f"(|(member={member})(uniqueMember={member})(memberUid={escaped_name}))",
        search_scope=ldap3.SUBTREE,
        attributes=ldap3.NO_ATTRIBUTES,
    )
    return (str(each["dn"]).lower() for each in connection.response or () if each.get("type") == "searchResEntry")


@transaction.atomic
def _user(chosen: Settings, entry: Entry, name: str) -> User | None:
    user = User.objects.select_for_update().filter(directory=entry.dn.lower()).first()
    if user is None:
        user = User(username=name.strip().lower(), directory=entry.dn.lower())
        user.set_unusable_password()
    elif not user.is_active:
        return None
    user.first_name, user.last_name, user.email = entry.first_name[:150], entry.last_name[:150], entry.email[:254]
    try:
        user.full_clean(exclude=["password", "email"])
    except ValidationError as error:
        log.error("A user of the directory cannot have an account here: %s", "; ".join(error.messages))
        return None
    user.save()
    _assign(chosen, user, entry.groups)
    return user


def _assign(chosen: Settings, user: User, groups: frozenset[str]) -> None:
    """Give the roles of the user's groups and take those of other groups; what was given here by hand and no group gives stays."""
    roles = {role.name: role for role in Role.objects.all()}
    sites = {site.slug: site for site in Site.objects.all()}
    wanted = {each for group in groups for each in chosen.roles.get(group, ())}
    for role, site in {each for given_by in chosen.roles.values() for each in given_by}:
        if role not in roles or (site is not None and site not in sites):
            log.error("A group of the directory gives the role %r at %r, which does not exist", role, site)
            continue
        given: dict[str, Any] = {"user": user, "role": roles[role], "site": None if site is None else sites[site]}
        if (role, site) in wanted:
            Assignment.objects.get_or_create(**given)
        else:
            Assignment.objects.filter(**given).delete()


def _roles(path: str) -> dict[str, tuple[tuple[str, str | None], ...]]:
    """Of a JSON file: {"cn=…": [{"role": "technician", "site": "north"}]}; without a site the role is for all sites."""
    if not path:
        return {}
    try:
        groups = json.loads(_read(path, "ROLES"))
        return {dn.lower(): tuple((str(each["role"]), each.get("site")) for each in given) for dn, given in groups.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        example = '{"cn=technicians,ou=groups,dc=example,dc=org": [{"role": "technician", "site": "north"}]}'
        raise ImproperlyConfigured(f"{path} is not like {example}: {error}") from error


def _url(text: str) -> tuple[str, str, int | None]:
    """Scheme, host and port."""
    try:
        url = urlsplit(text)
        if url.scheme in ("ldap", "ldaps") and url.hostname:
            return url.scheme, url.hostname, url.port
    except ValueError:
        pass
    raise ImproperlyConfigured(f"{PREFIX}URL is ldaps://server or ldap://server, not {text!r}.")


def _read(path: str, name: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ImproperlyConfigured(f"{PREFIX}{name}: {error}") from error


def _first(attributes: Mapping[str, Any], name: str) -> str:
    values = attributes.get(name)
    value = values[0] if isinstance(values, list) and values else values or ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
