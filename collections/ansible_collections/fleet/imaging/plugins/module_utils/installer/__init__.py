# Copyright: (c) 2026, Fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unattended installation: a station installs itself from the distribution's packages, as its inventory says.

``request`` is what the station shall become, checked; ``systems`` what can be installed, ``domain`` what it belongs to. ``preseed`` and
``autoinstall`` write it down for Debian's and for Ubuntu's installer, with the ``programs`` that run in them. What is secret is not in
these answers but in the ``bundle``, a tar that the boot server hands out once. ``answers`` puts both onto the boot server. ``signed``
and ``images`` fetch the installers' kernels, checked against the distribution's signature.
"""
