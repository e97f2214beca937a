# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host must offer to build the imaging environment."""

from __future__ import annotations

import os

from ansible_collections.fleet.core.plugins.module_utils.command import available

from .errors import BuildError

PACKAGE_OF = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "grub-mkimage": "grub-common",
    "mcopy": "mtools",
    "mformat": "mtools",
    "mksquashfs": "squashfs-tools",
    "mmdebstrap": "mmdebstrap",
    "unshare": "util-linux",
    "xorriso": "xorriso",
    "zstd": "zstd",
}
"""Tools that building takes, and the Debian packages that carry them."""


def require() -> None:
    """Raise BuildError unless this process is root and every tool is installed."""
    if os.geteuid() != 0:
        raise BuildError(
            "Building the imaging environment needs root: mmdebstrap installs packages", remedy="Run the task with become: true"
        )
    missing = sorted({package for tool, package in PACKAGE_OF.items() if not available(tool)})
    if missing:
        raise BuildError("Tools that build the imaging environment are not installed", remedy="apt-get install " + " ".join(missing))
