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
from .lookups import like_regex, matches, same, spelled
from .syntax import Word


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
                _("Write it as 10.1.2.3, 10.1.0.0/16 or 2001:db8::/32."),
            ) from error
        if network.num_addresses == 1:
            address = str(network.network_address)
            return Q(address__isnull=False, address=address) | Q(reported_address=address)
        if isinstance(network, ipaddress.IPv6Network):
            pattern = spellings_in(network)
            return either_address(lambda column: like_regex(column, pattern))
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


def in_network(column: str | Combinable, network: ipaddress.IPv4Network) -> Q:
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


def spellings_in(network: ipaddress.IPv6Network) -> str:
    """A regular expression of the texts that are addresses in an IPv6 network, in lower case, with or without ``::``.

    Databases keep addresses as texts, and those of one network do not begin alike (RFC 4291, 2.2). Texts that end in an IPv4 address are
    left out.
    """
    number = int(network.network_address)
    known = [(number >> 112 - 16 * place & 0xFFFF, min(max(network.prefixlen - 16 * place, 0), 16)) for place in range(8)]
    written = [_group(value, bits) for value, bits in known]
    found = [":".join(written)]
    for start in range(8):
        for end in range(start + 1, 9):
            if any(value for value, _bits in known[start:end]):
                break
            found.append(f"{':'.join(written[:start])}::{':'.join(written[end:])}")
    return f"^({'|'.join(found)})$"


def _group(value: int, bits: int) -> str:
    """Texts of four hexadecimal digits, without leading zeros or with them, of which so many bits from the left are those of the value."""
    if bits == 16:
        return f"0{{0,{4 - len(f'{value:x}')}}}{value:x}"
    if not bits:
        return "[0-9a-f]{1,4}"
    digits = ["0123456789abcdef"[value >> 12 - 4 * place & 15 :][: 1 << min(max(4 * place + 4 - bits, 0), 4)] for place in range(4)]
    found = []
    for zeros in range(4):
        first = digits[zeros] if zeros == 3 else digits[zeros].replace("0", "")
        if first:
            found.append(f"0{{0,{zeros}}}" + "".join(f"[{each}]" for each in (first, *digits[zeros + 1 :])))
        if "0" not in digits[zeros]:
            break
    return f"({'|'.join(found)})"
