# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that a station's fields take, each brought into one form."""

from __future__ import annotations

import re
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from .. import strict_json
from .fields import mac_address
from .models import Station

COLUMNS = ("name", "kind", "state", "tag", "uuid", "serial", "address", "disk_identity", "comment")
"""Fields that the model's own field cleans."""

SECRET_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def clean(name: str, value: Any) -> Any:
    """The canonical value of a field; ValidationError for what it cannot take. References stay names."""
    try:
        strict_json.check(value)
    except strict_json.JSONError as error:
        raise ValidationError(str(error)) from error
    if name in COLUMNS:
        return _column(name, value)
    if name in ("site", "model", "image"):
        return _text(value)
    if name == "macs":
        return sorted({mac_address(each) for each in _texts(value)})
    if name == "groups":
        return sorted(set(_texts(value)))
    if name == "secrets":
        return _secrets(value)
    if not isinstance(value, dict):
        raise ValidationError(_("Variables are an object of names and values."))
    return value


def remedy(name: str) -> str:
    """What to do about a value that a field cannot take."""
    choices = cast("models.Field[Any, Any]", Station._meta.get_field(name)).choices if name in COLUMNS else None
    if choices:
        return _("It is one of %(choices)s.") % {"choices": ", ".join(str(value) for value, _label in choices)}
    return _("Correct the value.")


def _column(name: str, value: Any) -> Any:
    field = cast("models.Field[Any, Any]", Station._meta.get_field(name))
    if value is None and not field.null:
        raise ValidationError(_("A text is needed, which may be empty."))
    if field.null and value in (None, ""):
        return None
    if not isinstance(value, str) and name != "uuid":
        raise ValidationError(_("A text is needed."))
    return field.clean(value, None)


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValidationError(_("A name is needed."))
    return value or None


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValidationError(_("A list of texts is needed."))
    return value


def _secrets(value: Any) -> dict[str, str | None]:
    if not isinstance(value, dict) or not all(each is None or isinstance(each, str) for each in value.values()):
        raise ValidationError(_("Secret values are an object of names and texts; null removes."))
    for key in value:
        if not SECRET_NAME.fullmatch(str(key)):
            raise ValidationError(_("Use lowercase letters, digits and underscores in the names of secret values."))
    return value
