# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The imaging environment: a Debian that runs from memory, from a USB key or in a container, and that Ansible reaches over SSH.

How the rooms of this package connect, bottom up::

    errors     what keeps a host from building it
    sources    the host's own Debian package sources
    recipe     what is in the Debian root, and the name that follows from it
    root       the roots built so far (mmdebstrap); a virtual room's stations boot one as it is

A root has no kernel and no secret: those of a site come later.
"""

from __future__ import annotations
