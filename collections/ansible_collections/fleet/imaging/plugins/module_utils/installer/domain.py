# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a station belongs to: a DNS domain, an Active Directory, an LDAP directory.

No administrator's password goes to a station. An Active Directory is joined with the *one-time password* of a computer account that was
made beforehand (``adcli preset-computer``, or the console of the directory): after the join it is worth nothing (adcli(8)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError

from . import words
from .bundle import Member

JOINS = ("none", "ad", "ldap")
PACKAGES = {
    "none": (),
    "ad": ("adcli", "sssd-ad", "sssd-tools", "libnss-sss", "libpam-sss"),
    "ldap": ("sssd-ldap", "sssd-tools", "libnss-sss", "libpam-sss"),
}
AUTHORITY = "/etc/fleet/directory-ca.pem"


@dataclass(frozen=True)
class Domain:
    """name: the DNS domain, or empty. join: ``none``, ``ad`` or ``ldap``. one_time_password and bind_password are secret."""

    name: str = ""
    join: str = "none"
    one_time_password: str = field(default="", repr=False)
    uri: str = ""
    base: str = ""
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    authority: str = ""

    @classmethod
    def parse(cls, asked: Optional[Mapping[str, Any]]) -> Domain:
        """From a module's parameters; raises InputError for what cannot be."""
        given = {key: str(value) for key, value in (asked or {}).items() if value}
        domain = cls(
            name=words.domain_name(given["name"], "domain.name") if "name" in given else "",
            join=given.get("join", "none"),
            one_time_password=_setting(given.get("one_time_password", ""), "domain.one_time_password", secret=True),
            uri=words.url(given["uri"], "domain.uri", ("ldaps", "ldap")) if "uri" in given else "",
            base=_setting(given.get("base", ""), "domain.base"),
            bind_dn=_setting(given.get("bind_dn", ""), "domain.bind_dn"),
            bind_password=_setting(given.get("bind_password", ""), "domain.bind_password", secret=True),
            authority=words.certificate(given["authority"], "domain.authority") if "authority" in given else "",
        )
        needed = {"none": (), "ad": ("name", "one_time_password"), "ldap": ("name", "uri", "base")}
        if domain.join not in needed:
            raise InputError(f"domain.join {domain.join!r} is none of {', '.join(JOINS)}")
        missing = [each for each in needed[domain.join] if not getattr(domain, each)]
        if missing:
            raise InputError(f"domain.join {domain.join} needs {', '.join(missing)}")
        if domain.join == "ldap" and domain.uri.startswith("ldap:") and not domain.authority and domain.bind_password:
            raise InputError("domain.bind_password would cross the network unencrypted", remedy="Write domain.uri as ldaps://…")
        return domain

    @property
    def packages(self) -> tuple[str, ...]:
        return PACKAGES[self.join]

    def members(self) -> list[Member]:
        """Files of the installed system."""
        found = []
        if self.join != "none":
            found.append(Member("etc/sssd/sssd.conf", self._sssd(), 0o600))
        if self.join == "ad":
            found.append(Member("etc/fleet/install/join", f"{self.name}\n{self.one_time_password}\n", 0o600))
        if self.authority:
            found.append(Member(AUTHORITY.lstrip("/"), self.authority, 0o644))
        return found

    def _sssd(self) -> str:
        """sssd.conf(5), sssd-ad(5), sssd-ldap(5)."""
        settings = {"cache_credentials": "True", "fallback_homedir": "/home/%u", "default_shell": "/bin/bash"}
        if self.join == "ad":
            settings |= {"id_provider": "ad", "access_provider": "ad", "ad_domain": self.name, "krb5_realm": self.name.upper()}
            settings |= {"use_fully_qualified_names": "False", "krb5_store_password_if_offline": "True"}
            # Logins at these count as interactive ones, which sssd knows of gdm only.
            settings |= {"ad_gpo_map_interactive": "+lightdm, +sddm, +lxdm"}
        else:
            settings |= {"id_provider": "ldap", "auth_provider": "ldap", "ldap_uri": self.uri, "ldap_search_base": self.base}
            settings |= {"ldap_tls_reqcert": "demand"}
            settings |= {"ldap_id_use_start_tls": "True"} if self.uri.startswith("ldap:") else {}
            settings |= {"ldap_default_bind_dn": self.bind_dn} if self.bind_dn else {}
            settings |= {"ldap_default_authtok": self.bind_password} if self.bind_password else {}
            settings |= {"ldap_tls_cacert": AUTHORITY} if self.authority else {}
        lines = ["[sssd]", "services = nss, pam", f"domains = {self.name}", "", f"[domain/{self.name}]"]
        return "\n".join([*lines, *(f"{key} = {value}" for key, value in settings.items())]) + "\n"


def _setting(value: str, what: str, secret: bool = False) -> str:
    """A value of an INI file or a file of lines."""
    try:
        return words.line(value, what)
    except InputError:
        if secret:
            raise InputError(f"{what} is not one line of text") from None
        raise
