# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of the network: addresses, and cards."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.utils.translation import gettext as _

from ..registry.expressions import AddressText
from ..registry.fields import mac_address
from ..registry.models import MacAddress
from . import values
from .kinds import LIKENESS, Field, Scope, any_of
from .lookups import matches, same, spelled
from .syntax import Word

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class CardField(Field):
    """The MAC address of one of the station's network cards."""

    operators: tuple[str, ...] = field(default=LIKENESS, kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        text = values.text(word)
        if operator == "~":
            return cards(matches("mac", text.replace("-", ":")))
        try:
            return cards(Q(mac=mac_address(text)))
        except ValidationError as error:
            raise word.wrong(error.messages[0]) from error

    def filled(self) -> Q:
        return cards(Q())


@dataclass(frozen=True)
class AddressField(Field):
    """The reserved address or the one that the station reports, compared with an address or a network."""

    operators: tuple[str, ...] = field(default=LIKENESS, kw_only=True)

    def condition(self, operator: str, word: Word, scope: Scope) -> Q:
        text = values.text(word)
        if operator == "~":
            return either_address(lambda column: matches(column, text))
        try:
            network = ipaddress.ip_network(text)
        except ValueError as error:
            raise word.wrong(
                _("“%(text)s” is neither an address nor a network.") % {"text": text},
                _("Write it as 10.1.2.3 or 10.1.0.0/16."),
            ) from error
        if network.num_addresses == 1:
            address = str(network.network_address)
            return Q(address__isnull=False, address=address) | Q(reported_address=address)
        if network.version == 6:
            raise word.wrong(_("IPv6 networks are not supported."), _("Use ~ with the beginning of the addresses: address ~ 2001:db8:1:*."))
        return either_address(lambda column: in_network(column, network))

    def filled(self) -> Q:
        return Q(address__isnull=False) | ~Q(reported_address="")


def cards(condition: Q) -> Q:
    """Stations with a network card that meets the condition."""
    return Q(id__in=MacAddress.objects.filter(condition).order_by().values("station_id"))


def card_contains(text: str) -> Q | None:
    """Stations with a network card whose address has this in it, in any spelling; None for what is no part of an address."""
    digits = re.sub(r"[-:.]", "", text.lower())
    if not re.fullmatch(r"[0-9a-f]{2,12}", digits):
        return None
    bytes_on, half_on = ":".join(re.findall("..?", digits)), ":".join([digits[0], *re.findall("..?", digits[1:])])
    spellings = {bytes_on, half_on} if digits == text.lower() else {text.lower().replace("-", ":")}
    return cards(any_of(Q(mac__contains=spelling) for spelling in sorted(spellings)))


def either_address(condition: Callable[[str | Combinable], Q]) -> Q:
    """The condition on the reserved address or on the reported one."""
    return (Q(address__isnull=False) & condition(AddressText("address"))) | condition("reported_address")


def in_network(column: str | Combinable, network: Network) -> Q:
    """An IPv4 address, as text, that is in the network: by the beginnings that such texts have."""
    whole, bits = divmod(network.prefixlen, 8)
    octets = str(network.network_address).split(".")
    known = "".join(f"{octet}." for octet in octets[:whole])
    if not bits:
        return spelled(column, f"{known}%" if known else "%.%")
    first = int(octets[whole])
    after = "." if whole < 3 else ""
    each = [f"{known}{octet}{after}" for octet in range(first, first + (1 << 8 - bits))]
    if not after:
        return any_of(same(column, address) for address in each)
    found = any_of(spelled(column, f"{beginning}%") for beginning in each)
    return spelled(column, f"{known}%") & found if known else found
