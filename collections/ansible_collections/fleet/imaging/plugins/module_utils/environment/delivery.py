# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The imaging environment of a site: the files that its boot servers serve, with its keys in them.

What is the site's own goes into a small archive in front of the first stage, so that one built root serves everybody, and a new key takes
a second. Whoever can change that archive could change the rest as well: kernels do not verify an initrd.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fleet.core.plugins.module_utils.errors import InputError
from ansible_collections.fleet.core.plugins.module_utils.progress import Progress

from ..digest import sha256
from . import first_stage, medium
from .image import Image, ImageCache, Options

_KEY = re.compile(
    r"(?:[A-Za-z0-9@.,=\"*:/_ -]+ )?"  # options
    r"(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]{40,}={0,3}(?: .*)?"
)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_ARGUMENTS = re.compile(r"[A-Za-z0-9_.:/=,@+\[\]-]+(?: [A-Za-z0-9_.:/=,@+\[\]-]+)*")
LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class Site:
    """What is a site's own: the lines of SSH's authorized_keys, the boot server's authority (PEM), and what its media say and add."""

    authorized_keys: str
    authority: str = ""
    language: str = "en"
    arguments: str = ""

    def check(self) -> None:
        """Raise InputError for what would lock everybody out of the station or break the medium's menu."""
        lines = [line for line in self.authorized_keys.splitlines() if line.strip() and not line.startswith("#")]
        bad = [line[:40] for line in lines if not _KEY.fullmatch(line.strip())]
        if bad or not lines:
            what = f"{bad[0]!r} is not" if bad else "Nothing was given as"
            raise InputError(f"{what} a public SSH key", remedy="Give the lines of an authorized_keys file, such as ~/.ssh/id_ed25519.pub")
        if self.authority and not _CERTIFICATE.search(self.authority):
            raise InputError("The boot server's authority is no certificate", remedy="Give the text of its PEM file")
        if "PRIVATE KEY" in self.authority + self.authorized_keys:
            raise InputError(
                "A private key was given, which everybody could read in the image", remedy="Give the public half, or the certificate"
            )
        if self.language not in LANGUAGES:
            raise InputError(f"There are no texts in {self.language!r}", remedy=f"Use one of {', '.join(LANGUAGES)}")
        if self.arguments and not _ARGUMENTS.fullmatch(self.arguments):
            raise InputError(
                f"{self.arguments!r} cannot be on a kernel's command line", remedy="Use words such as fleet.boot=http://10.0.0.1"
            )

    def files(self) -> dict[str, bytes]:
        """Return its files in the root by path."""
        found = {"etc/fleet/authorized_keys": self.authorized_keys.strip().encode() + b"\n"}
        if self.authority:
            found["etc/fleet/ca.pem"] = self.authority.strip().encode() + b"\n"
        return found


FILES = ("vmlinuz", "initrd.img", "root.img", "imaging.iso", "environment.json")
"""What a delivery has, in the order in which a boot server gets it."""


@dataclass(frozen=True)
class Delivery:
    """The files of a site's imaging environment in a folder."""

    folder: Path

    @property
    def vmlinuz(self) -> Path:
        """Debian's signed kernel."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The first stage, with the site's files and the SHA-256 of root.img."""
        return self.folder / "initrd.img"

    @property
    def root(self) -> Path:
        """The root's squashfs."""
        return self.folder / "root.img"

    @property
    def medium(self) -> Path:
        """The image for USB keys, CDs and HTTP Boot."""
        return self.folder / "imaging.iso"

    def description(self) -> dict[str, Any]:
        """Return what environment.json says, or an empty mapping when there is none."""
        try:
            found = json.loads((self.folder / "environment.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def build(
    options: Options, site: Site, progress: Progress, *, cache: Path, folder: Path, with_medium: bool = True, renew: bool = False
) -> dict[str, Any]:
    """Build what is not in the cache and deliver it; return what the module imaging_environment returns."""
    site.check()
    before = Delivery(folder).description()
    image = ImageCache(cache).ensure(options, progress, renew)
    delivery, changed = deliver(image, site, folder, with_medium=with_medium)
    return _result(folder, before, delivery.description(), changed)


def preview(options: Options, site: Site, *, cache: Path, folder: Path, with_medium: bool = True, renew: bool = False) -> dict[str, Any]:
    """Return what build would return, as far as that is known without building."""
    site.check()
    before = Delivery(folder).description()
    place = ImageCache(cache).path(options)
    if renew or not place.is_dir():
        return _result(folder, before, {}, True)
    changed = not _up_to_date(folder, before, _source(Image(place), site, with_medium))
    return _result(folder, before, {} if changed else before, changed)


def deliver(image: Image, site: Site, folder: Path, *, with_medium: bool = True) -> tuple[Delivery, bool]:
    """Put a site's imaging environment into a folder; return it and whether anything changed. InputError for a site that cannot be."""
    site.check()
    folder.mkdir(parents=True, exist_ok=True)
    delivery = Delivery(folder)
    source = _source(image, site, with_medium)
    if _up_to_date(folder, delivery.description(), source):
        return delivery, False
    (folder / "environment.json").unlink(missing_ok=True)  # what is not whole is not described
    _put(image.vmlinuz, delivery.vmlinuz)
    _put(image.root, delivery.root)
    draft = folder / ".initrd.img"
    draft.write_bytes(_initrd(image, site))
    os.replace(draft, delivery.initrd)
    names = ["vmlinuz", "initrd.img", "root.img"]
    if with_medium:
        medium.write(image, {name: folder / name for name in names}, medium.menu(site.language, site.arguments), delivery.medium)
        names.append("imaging.iso")
    else:
        delivery.medium.unlink(missing_ok=True)
    described = {"kernel": image.kernel, "source": source, "packages": image.packages}
    described["files"] = {name: _describe(folder / name) for name in names}
    draft = folder / ".environment.json"
    draft.write_text(json.dumps(described, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(draft, folder / "environment.json")
    return delivery, True


def _initrd(image: Image, site: Site) -> bytes:
    root = _describe(image.root)
    return first_stage.site(site.files(), root["size"], root["sha256"]) + image.first_stage.read_bytes()


def _source(image: Image, site: Site, with_medium: bool) -> str:
    """Return the digest of everything that a delivery is made of."""
    config = medium.menu(site.language, site.arguments) if with_medium else ""
    parts = [_initrd(image, site), json.dumps(_describe(image.vmlinuz)).encode(), config.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _up_to_date(folder: Path, said: Mapping[str, Any], source: str) -> bool:
    """Whether a folder has that delivery, whole."""
    return said.get("source") == source and all(_is(folder / name, each) for name, each in said["files"].items())


def _result(folder: Path, before: Mapping[str, Any], after: Mapping[str, Any], changed: bool) -> dict[str, Any]:
    files = dict(after.get("files", {}))
    shown = [{"kernel": said.get("kernel", ""), "files": said.get("files", {})} for said in (before, after)]
    return {
        "changed": changed,
        "path": str(folder),
        "kernel": after.get("kernel", ""),
        "files": files,
        "packages": after.get("packages", {}),
        "transferred": sum(files[name]["size"] for name in ("vmlinuz", "initrd.img", "root.img") if name in files),
        "diff": {"before": shown[0], "after": shown[1] if after else "built anew"},
    }


def _describe(path: Path) -> dict[str, Any]:
    return {"size": path.stat().st_size, "sha256": sha256(path)}


def _is(path: Path, said: Mapping[str, Any]) -> bool:
    return path.is_file() and _describe(path) == said


def _put(source: Path, target: Path) -> None:
    """Copy a file so that target is never half of it."""
    draft = target.with_name(f".{target.name}")
    shutil.copyfile(source, draft)
    os.replace(draft, target)
