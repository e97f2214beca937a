# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are checked or stored in a particular way, everywhere the same."""

from __future__ import annotations

import functools
import ipaddress
import re
import zoneinfo
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from .. import home

if TYPE_CHECKING:
    _Text = models.CharField[str, str]
    _Bytes = models.BinaryField[Any, Any]
else:
    _Text, _Bytes = models.CharField, models.BinaryField

GROUP_NAME = RegexValidator(r"\A[a-z][a-z0-9_]{0,62}\Z", _("Use lowercase letters, digits and underscores, beginning with a letter."))
"""Names that are Ansible groups as well."""

HOST_NAME = RegexValidator(
    r"\A(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*\Z",
    _("Use letters, digits, hyphens and dots, as in a host name."),
)

RESERVED_NAMES = frozenset(["bulk"])
"""Names, in lower case, that would hide a station behind another address of the API (/stations/bulk)."""


def station_name(name: str) -> None:
    """Refuse what no station can be called, whoever names it: a form, the API, a table or a report."""
    HOST_NAME(name)
    if name.lower() in RESERVED_NAMES:
        raise ValidationError(_("The name is one of the API's addresses."))


PLAIN_TEXT = RegexValidator(r"\A[^\x00-\x1f\x7f]*\Z", _("Control characters are not allowed."))


def time_zone(name: str) -> None:
    """Refuse what is no time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("%(name)s is not a time zone such as Europe/Paris.") % {"name": name})


def mac_address(text: str) -> str:
    """Lowercase, with colons. ValidationError for what is no address of one network card."""
    digits = re.sub(r"[-:. ]", "", text.strip()).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits) or digits in ("0" * 12, "f" * 12) or int(digits[1], 16) & 1:
        raise ValidationError(_("%(text)s is not the MAC address of a network card, such as 52:54:00:12:34:56.") % {"text": text})
    return ":".join(digits[index : index + 2] for index in range(0, 12, 2))


class MacField(_Text):
    """A MAC address in any usual spelling, stored in one."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("max_length", 17)
        super().__init__(*args, **options)

    def to_python(self, value: Any) -> Any:
        return value if value is None else mac_address(str(value))

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None else mac_address(str(value))


class NetworkField(_Text):
    """A subnet in CIDR notation, stored normalised."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("max_length", 43)
        super().__init__(*args, **options)

    def to_python(self, value: Any) -> Any:
        return self._normal(value)

    def get_prep_value(self, value: Any) -> Any:
        return self._normal(value)

    @staticmethod
    def _normal(value: Any) -> Any:
        if value is None:
            return None
        try:
            return str(ipaddress.ip_network(str(value).strip()))
        except ValueError as error:
            raise ValidationError(_("%(text)s is not a subnet such as 10.1.2.0/24.") % {"text": value}) from error


class EncryptedField(_Bytes):
    """Text that is encrypted (Fernet) before it reaches the database, with the first of the installation's keys."""

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else _fernet().encrypt(str(value).encode())

    def from_db_value(self, value: Any, _expression: object, _connection: object) -> str | None:
        """The text; ValidationError when none of the keys fits."""
        try:
            return None if value is None else _fernet().decrypt(bytes(value)).decode()
        except InvalidToken as error:
            raise ValidationError(
                _("A stored value cannot be decrypted: keys/values.key of this installation is not the key it was encrypted with.")
            ) from error

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = value if prepared else self.get_prep_value(value)
        return None if value is None else connection.Database.Binary(value)

    def value_to_string(self, obj: models.Model) -> str:
        """Never the secret."""
        return ""


@functools.cache
def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in home.value_keys()])
