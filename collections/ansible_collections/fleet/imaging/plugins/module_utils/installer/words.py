# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that go into an installer's files: what each may consist of. None of them can end a line, a quoted word or a list."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{1,127}")
LOCALE = re.compile(r"[a-z]{2,3}_[A-Z]{2}\.UTF-8")
KEYBOARD = re.compile(r"[a-z]{2,8}(\([a-z0-9_-]{1,32}\))?")
TIME_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z][A-Za-z0-9_+-]{0,31}){0,2}")
LOGIN = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
CRYPT = re.compile(r"\$(?:y|gy|7|2b|2y|6|5)\$[./A-Za-z0-9$=,+-]{8,400}")
PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
ARGUMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,:/=@%+-]{0,254}")
_URL = re.compile(
    r"(?P<scheme>https?|ldaps?)://(?P<host>[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(:[0-9]{1,5})?)(?P<path>(/[A-Za-z0-9._~+-]+)*)/?"
)
_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)")


def word(value: str, pattern: re.Pattern[str], what: str, remedy: str = "") -> str:
    """Return value; raise InputError unless all of it is as the pattern says."""
    if not pattern.fullmatch(value):
        raise InputError(f"{what} {value!r} cannot be used", remedy=remedy)
    return value


def line(value: str, what: str) -> str:
    """A free text of one line, such as a person's name; raise InputError for line breaks and control characters."""
    if len(value) > 400 or any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in value):
        raise InputError(f"{what} {value!r} is not one line of text")
    return value


def hostname(value: str) -> str:
    """A host name without a domain."""
    if value.isdigit():
        raise InputError(f"hostname {value!r} is not a host name", remedy="It needs a letter")
    return word(value, LABEL, "hostname", "Letters, digits and hyphens, up to 63, without a domain")


def domain_name(value: str, what: str) -> str:
    """A DNS domain."""
    if len(value) > 190 or not all(LABEL.fullmatch(label) for label in value.split(".")):
        raise InputError(f"{what} {value!r} is not a domain")
    return value.lower()


def url(value: str, what: str, schemes: tuple[str, ...] = ("http", "https")) -> str:
    """An address without user, query or trailing slash."""
    match = _URL.fullmatch(value)
    if not match or match["scheme"] not in schemes or ".." in match["path"]:
        raise InputError(f"{what} {value!r} is not an address", remedy=f"Write {schemes[0]}://HOST/PATH, without user and query")
    return value.rstrip("/")


def url_parts(value: str) -> tuple[str, str, str]:
    """Scheme, host with its port, and path (at least ``/``) of an address that ``url`` accepted."""
    match = _URL.fullmatch(value)
    if not match:
        raise InputError(f"{value!r} is not an address")
    return match["scheme"], match["host"], match["path"] or "/"


def ssh_key(value: str) -> str:
    """A public SSH key as in authorized_keys, without options."""
    words = line(value.strip(), "SSH key").split(None, 2)
    try:
        known = len(words) >= 2 and _KEY.fullmatch(words[0]) and base64.b64decode(words[1], validate=True)
    except binascii.Error:
        known = False
    if not known:
        raise InputError(f"{value[:60]!r} is not a public SSH key", remedy="Write it as in a .pub file, without options")
    return " ".join(words)


def crypt_hash(value: str, what: str) -> str:
    """A password as crypt(5) hash; the value is not shown, lest it be the password itself."""
    if not CRYPT.fullmatch(value):
        raise InputError(f"{what} is not a password hash", remedy="Make one with: openssl passwd -6 (crypt(5): $6$…, $y$…)")
    return value


def certificate(value: str, what: str) -> str:
    """Certificates as PEM, and nothing else."""
    text = value.strip().replace("\r\n", "\n")
    if not re.fullmatch(r"(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n*)+", text + "\n"):
        raise InputError(f"{what} is not a certificate in PEM")
    return text + "\n"
